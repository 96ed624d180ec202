use kitward_keys::SigningKey;

use super::*;

fn now() -> Timestamp {
    Timestamp::parse("2027-01-15T12:00:00Z").unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now().plus_seconds(seconds)
}

fn key(seed: u8, purpose: KeyPurpose, state: KeyState) -> RingKey {
    RingKey {
        public: SigningKey::from_bytes(purpose, &[seed; 32]).public(state),
        sealed: vec![1],
        created_at: now(),
        since: now(),
        activates_at: None,
    }
}

/// Does the steps as the change does them, without private halves.
fn after(keys: &[RingKey], steps: &[Step]) -> Vec<RingKey> {
    let mut keys = keys.to_vec();
    for step in steps {
        match step {
            Step::Make(purpose, begins) => {
                let state = begins.map_or(KeyState::Active, |_| KeyState::Published);
                let seed = u8::try_from(100 + keys.len()).unwrap();
                let made = key(seed, *purpose, state);
                keys.push(RingKey {
                    activates_at: *begins,
                    ..made
                });
            }
            Step::Move(kid, state) => {
                let moved = keys.iter_mut().find(|key| key.kid() == kid).unwrap();
                moved.public = moved.public.in_state(*state);
            }
            Step::TakeAway(kid) => {
                let taken = keys.iter_mut().find(|key| key.kid() == kid).unwrap();
                taken.sealed.clear();
            }
        }
        // The database's unique indexes look after each statement.
        for purpose in KeyPurpose::ALL {
            assert!(keys.iter().filter(|key| key.signs(purpose)).count() <= 1);
        }
    }
    keys
}

fn states(keys: &[RingKey], purpose: KeyPurpose) -> Vec<KeyState> {
    let of = keys.iter().filter(|key| key.public.purpose() == purpose);
    of.map(|key| key.public.state()).collect()
}

fn complete() -> Vec<RingKey> {
    after(&[], &first(&[]))
}

#[test]
fn first_keys_are_one_for_each_purpose_and_only_missing_ones() {
    let keys = complete();
    for purpose in KeyPurpose::ALL {
        assert_eq!(states(&keys, purpose), [KeyState::Active]);
    }
    assert!(first(&keys).is_empty());
    let of_before = [
        key(1, KeyPurpose::LicenseKey, KeyState::Active),
        key(2, KeyPurpose::Document, KeyState::Active),
    ];
    assert_eq!(
        first(&of_before),
        [
            Step::Make(KeyPurpose::Artifact, None),
            Step::Make(KeyPurpose::Root, None)
        ]
    );
}

#[test]
fn a_key_is_published_waits_and_takes_over() {
    let keys = complete();
    let purpose = KeyPurpose::Document;
    let steps = rotate(&keys, purpose, Start::After(None), now()).unwrap();
    let keys = after(&keys, &steps);
    assert_eq!(
        states(&keys, purpose),
        [KeyState::Active, KeyState::Published]
    );
    assert!(promote(&keys, purpose, later(NOTICE - 1)).is_empty());
    let again = rotate(&keys, purpose, Start::After(None), now());
    assert!(matches!(again, Err(Refused::AlreadyPublished { at, .. }) if at == later(NOTICE)));
    let promoted = after(&keys, &promote(&keys, purpose, later(NOTICE)));
    assert_eq!(
        states(&promoted, purpose),
        [KeyState::Retiring, KeyState::Active]
    );
    assert!(promote(&promoted, purpose, later(10 * NOTICE)).is_empty());
    // Or at once: the one that waits is taken, no third is made.
    let hurried = after(&keys, &rotate(&keys, purpose, Start::Now, now()).unwrap());
    assert_eq!(
        states(&hurried, purpose),
        [KeyState::Retiring, KeyState::Active]
    );
    // Other purposes stay as they are.
    assert_eq!(states(&hurried, KeyPurpose::LicenseKey), [KeyState::Active]);
}

#[test]
fn notice_has_a_least_length_and_a_root_key_never_begins_at_once() {
    let keys = complete();
    let ask = |purpose, seconds| rotate(&keys, purpose, Start::After(Some(seconds)), now());
    assert!(ask(KeyPurpose::Document, 3_600).is_ok());
    assert_eq!(
        ask(KeyPurpose::Document, 3_599),
        Err(Refused::ShortNotice(3_600))
    );
    assert!(ask(KeyPurpose::Root, OFFLINE_RING_LIFE).is_ok());
    assert_eq!(
        ask(KeyPurpose::Root, OFFLINE_RING_LIFE - 1),
        Err(Refused::ShortNotice(OFFLINE_RING_LIFE))
    );
    assert_eq!(
        rotate(&keys, KeyPurpose::Root, Start::Now, now()),
        Err(Refused::RootNeedsNotice)
    );
}

#[test]
fn a_key_retires_when_nothing_it_signed_can_be_valid() {
    let keys = complete();
    let document = keys[1].kid().to_owned();
    assert_eq!(
        retire(&keys, &document, true, now()),
        Err(Refused::StillActive(document.clone()))
    );
    let keys = after(
        &keys,
        &rotate(&keys, KeyPurpose::Document, Start::Now, now()).unwrap(),
    );
    let until = later(LONGEST_DOCUMENT);
    assert!(matches!(
        retire(&keys, &document, false, until.plus_seconds(-1)),
        Err(Refused::StillValid { until: told, .. }) if told == until
    ));
    let retired = [Step::Move(document.clone(), KeyState::Retired)];
    assert_eq!(retire(&keys, &document, false, until).unwrap(), retired);
    assert_eq!(retire(&keys, &document, true, now()).unwrap(), retired);
    let keys = after(&keys, &retired);
    assert!(matches!(
        retire(&keys, &document, true, until),
        Err(Refused::Ended {
            state: KeyState::Retired,
            ..
        })
    ));
    assert!(matches!(
        retire(&keys, "-", true, now()),
        Err(Refused::NoSuchKey(_))
    ));
}

#[test]
fn a_document_key_is_kept_for_the_longest_file_that_terms_allow() {
    let ends = later(i64::from(LONGEST_FILE_DAYS) * DAY);
    let keys = [key(9, KeyPurpose::Document, KeyState::Retiring)];
    let kid = keys[0].kid();
    assert!(matches!(
        retire(&keys, kid, false, ends),
        Err(Refused::StillValid { until, .. }) if until == ends.plus_seconds(DAY)
    ));
    assert!(retire(&keys, kid, false, ends.plus_seconds(DAY)).is_ok());
    // By force it may end at once; what it signed can be met as long as before.
    let retired = key(9, KeyPurpose::Document, KeyState::Retired);
    assert!(retired.is_listed(ends));
    assert!(!retired.is_listed(ends.plus_seconds(DAY)));
}

#[test]
fn license_keys_never_end_so_their_keys_retire_at_once_and_stay_listed() {
    let keys = complete();
    let kid = keys[0].kid().to_owned();
    let rotated = rotate(&keys, KeyPurpose::LicenseKey, Start::Now, now()).unwrap();
    let keys = after(&keys, &rotated);
    let keys = after(&keys, &retire(&keys, &kid, false, now()).unwrap());
    let ages = later(100 * 366 * DAY);
    assert!(keys.iter().all(|key| key.is_listed(ages)));
    let document = key(9, KeyPurpose::Document, KeyState::Retired);
    assert!(document.is_listed(later(LONGEST_DOCUMENT - 1)));
    assert!(!document.is_listed(later(LONGEST_DOCUMENT)));
    let stolen = key(9, KeyPurpose::Document, KeyState::Compromised);
    assert!(stolen.is_listed(ages), "a reader's copy may be old");
}

#[test]
fn a_published_key_can_be_withdrawn() {
    let keys = complete();
    let steps = rotate(&keys, KeyPurpose::Artifact, Start::After(None), now()).unwrap();
    let keys = after(&keys, &steps);
    let kid = keys[4].kid().to_owned();
    let keys = after(&keys, &retire(&keys, &kid, false, now()).unwrap());
    assert_eq!(
        states(&keys, KeyPurpose::Artifact),
        [KeyState::Active, KeyState::Retired]
    );
    assert!(promote(&keys, KeyPurpose::Artifact, later(NOTICE)).is_empty());
}

#[test]
fn a_stolen_key_is_replaced_in_the_same_change_where_it_signed() {
    for purpose in KeyPurpose::ALL {
        let keys = complete();
        let kid = keys.iter().find(|key| key.signs(purpose)).unwrap().kid();
        let keys = after(&keys, &compromise(&keys, kid).unwrap());
        assert_eq!(
            states(&keys, purpose),
            [KeyState::Compromised, KeyState::Active]
        );
    }
    for state in [KeyState::Published, KeyState::Retiring, KeyState::Retired] {
        let keys = [complete(), vec![key(9, KeyPurpose::Document, state)]].concat();
        let steps = compromise(&keys, keys[4].kid()).unwrap();
        assert_eq!(steps.len(), 1, "{state}");
        let keys = after(&keys, &steps);
        let again = compromise(&keys, keys[4].kid());
        assert!(matches!(again, Err(Refused::Ended { .. })));
    }
}

#[test]
fn only_the_active_root_key_is_taken_away_and_once() {
    let keys = complete();
    let root = keys[3].kid().to_owned();
    assert!(root_is_here(&keys));
    assert_eq!(
        take_away_root(&keys, keys[1].kid()),
        Err(Refused::RootElsewhere)
    );
    let keys = after(&keys, &take_away_root(&keys, &root).unwrap());
    assert!(!root_is_here(&keys));
    assert_eq!(take_away_root(&keys, &root), Err(Refused::RootElsewhere));
}
