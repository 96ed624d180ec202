use std::sync::LazyLock;

use super::*;
use crate::clock::Timestamp;
use crate::licenses::model::VerdictCode;

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(super) fn version(text: &str) -> Version {
    parse_version(text).unwrap()
}

pub(super) fn id() -> &'static ReleaseId {
    static ID: LazyLock<ReleaseId> =
        LazyLock::new(|| ReleaseId::parse("rel_01jhmz3e5afkt9ymv5n2e8wqc4").unwrap());
    &ID
}

pub(super) fn release() -> ReleaseFacts<'static> {
    ReleaseFacts {
        id: id(),
        major: 1,
        severity: Severity::Normal,
        required: &[],
        rollout: None,
        salt: &[7; 16],
        halted_at: None,
        minimum_version: None,
        status: ReleaseStatus::Published,
        channel: Channel::Stable,
        published_at: Some(at("2027-03-01T00:00:00Z")),
        entitled_at: None,
        yanked_at: None,
        withdrawn_at: None,
    }
}

pub(super) fn license(updates_until: Option<&str>) -> LicenseFacts {
    LicenseFacts {
        updates_until: updates_until.map(at),
        ..LicenseFacts::anybody()
    }
}

pub(super) fn asking(version: &Version, channel: Channel) -> Caller<'_> {
    Caller {
        version,
        channel,
        subject: Some("lic_x"),
        is_manual: false,
        now: at("2027-06-01T00:00:00Z"),
    }
}

#[test]
fn a_draft_is_nobodys() {
    let draft = ReleaseFacts {
        status: ReleaseStatus::Draft,
        published_at: None,
        ..release()
    };
    assert_eq!(
        downloadable(&draft, &license(None)),
        Err(Refusal::NotPublished)
    );
}

#[test]
fn a_withdrawn_release_is_gone_for_everybody() {
    let withdrawn = ReleaseFacts {
        withdrawn_at: Some(at("2027-03-02T00:00:00Z")),
        ..release()
    };
    assert_eq!(
        downloadable(&withdrawn, &license(None)),
        Err(Refusal::Withdrawn)
    );
}

#[test]
fn a_license_that_is_refused_gets_nothing_whatever_the_release() {
    for code in [
        VerdictCode::KitMismatch,
        VerdictCode::Suspended,
        VerdictCode::Revoked,
        VerdictCode::Expired,
    ] {
        let refused = LicenseFacts {
            refusal: Some(code),
            ..LicenseFacts::anybody()
        };
        assert_eq!(
            downloadable(&release(), &refused),
            Err(Refusal::License(code))
        );
    }
}

#[test]
fn the_window_includes_its_last_moment() {
    let facts = release();
    assert_eq!(downloadable(&facts, &license(None)), Ok(()));
    let last = license(Some("2027-03-01T00:00:00Z"));
    assert_eq!(downloadable(&facts, &last), Ok(()));
    let before = license(Some("2027-02-28T23:59:59Z"));
    assert_eq!(
        downloadable(&facts, &before),
        Err(Refusal::VersionNotCovered)
    );
}

#[test]
fn a_date_of_the_vendor_counts_instead_of_the_publication() {
    let earlier = ReleaseFacts {
        entitled_at: Some(at("2027-01-01T00:00:00Z")),
        ..release()
    };
    let ended = license(Some("2027-02-01T00:00:00Z"));
    assert_eq!(downloadable(&earlier, &ended), Ok(()));
    let later = ReleaseFacts {
        entitled_at: Some(at("2027-06-01T00:00:00Z")),
        ..release()
    };
    let running = license(Some("2027-04-01T00:00:00Z"));
    assert_eq!(
        downloadable(&later, &running),
        Err(Refusal::VersionNotCovered)
    );
}

#[test]
fn a_yanked_release_is_had_but_not_listed() {
    let yanked = ReleaseFacts {
        yanked_at: Some(at("2027-03-02T00:00:00Z")),
        ..release()
    };
    assert_eq!(downloadable(&yanked, &license(None)), Ok(()));
    assert!(!listed(&yanked, &license(None)));
}

#[test]
fn offered_is_listed_is_downloadable() {
    let moments = [None, Some(at("2027-03-02T00:00:00Z"))];
    let windows = [
        None,
        Some("2027-01-01T00:00:00Z"),
        Some("2027-12-01T00:00:00Z"),
    ];
    let caller = version("1.0.0");
    for yanked_at in moments {
        for withdrawn_at in moments {
            for window in windows {
                for status in ReleaseStatus::ALL {
                    let facts = ReleaseFacts {
                        status: *status,
                        yanked_at,
                        withdrawn_at,
                        ..release()
                    };
                    let license = license(window);
                    let newer = version("1.1.0");
                    let is_offered = offered(
                        (&newer, &facts),
                        &license,
                        &asking(&caller, Channel::Stable),
                    );
                    assert!(!is_offered || listed(&facts, &license));
                    assert!(!listed(&facts, &license) || downloadable(&facts, &license).is_ok());
                }
            }
        }
    }
}

#[test]
fn nothing_older_and_no_other_channel_is_offered() {
    let facts = release();
    let open = license(None);
    let offer = |text: &str, present: &str, channel: Channel| {
        let (new, old) = (version(text), Version::parse(present).unwrap());
        let facts = ReleaseFacts {
            channel: Channel::of(&new),
            ..facts
        };
        offered((&new, &facts), &open, &asking(&old, channel))
    };
    assert!(offer("1.0.1", "1.0.0", Channel::Stable));
    assert!(!offer("1.0.0", "1.0.0", Channel::Stable));
    assert!(!offer("1.0.0", "1.0.0+local", Channel::Stable));
    assert!(!offer("1.0.0", "2.0.0", Channel::Alpha));
    assert!(!offer("1.1.0-beta.1", "1.0.0", Channel::Stable));
    assert!(!offer("1.1.0-beta.1", "1.0.0", Channel::Rc));
    assert!(offer("1.1.0-beta.1", "1.0.0", Channel::Alpha));
    assert!(offer("1.1.0", "1.1.0-beta.1", Channel::Beta));
    assert!(!offer("1.1.0-nightly", "1.0.0", Channel::Alpha));
    assert!(offer("1.1.0-nightly", "1.0.0", Channel::Dev));
    assert!(!offer("1.1.0", "1.0.0", Channel::Dev));
}

#[test]
fn versions_are_semantic_and_without_build_metadata() {
    for good in ["0.1.0", "1.2.3", "1.2.3-rc.1"] {
        assert!(parse_version(good).is_ok(), "{good}");
    }
    for bad in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3 ", "latest"] {
        assert_eq!(parse_version(bad), Err(VersionFault::NotSemver), "{bad}");
    }
    assert_eq!(parse_version("1.2.3+a"), Err(VersionFault::BuildMetadata));
}

#[test]
fn a_request_names_a_version_whole_in_part_or_as_latest() {
    assert_eq!(Selector::parse("latest"), Some(Selector::Latest));
    assert_eq!(Selector::parse("1"), Some(Selector::Major(1)));
    assert_eq!(Selector::parse("1.2"), Some(Selector::Minor(1, 2)));
    assert_eq!(
        Selector::parse("1.2.3"),
        Some(Selector::Exact(version("1.2.3")))
    );
    for bad in ["", "x", "1.", ".1", "01", "1.2.3.4", "v1", "-1", "+1"] {
        assert_eq!(Selector::parse(bad), None, "{bad}");
    }
    assert!(Selector::Minor(1, 2).names(&version("1.2.9")));
    assert!(!Selector::Minor(1, 2).names(&version("1.3.0")));
}
