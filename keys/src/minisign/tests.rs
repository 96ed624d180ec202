use super::*;
use crate::signing::KeyState;

const COMMENT: FileComment<'static> = FileComment {
    timestamp: 1_800_000_000,
    file: "kit-1.1.0.zip",
    version: "1.1.0",
    kit: "kit",
    channel: "stable",
};

fn key() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Artifact, &[7; 32])
}

fn public(state: KeyState) -> Vec<MinisignKey> {
    MinisignKey::of(&key().public(state)).into_iter().collect()
}

fn signature(bytes: &[u8]) -> FileSignature {
    sign_file(&key(), &Prehash::of(bytes), &COMMENT).unwrap()
}

#[test]
fn the_hash_is_that_of_rfc_7693() {
    let hash = data_encoding::HEXLOWER.encode(&Prehash::of(b"abc"));
    assert!(hash.starts_with("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"));
}

#[test]
fn a_signature_is_read_back_and_vouches_for_file_and_comment() {
    let text = signature(b"bytes").to_string();
    let read = FileSignature::parse(&text).unwrap();
    assert_eq!(read.to_string(), text);
    let comment = read.verify(&public(KeyState::Retired), &Prehash::of(b"bytes"));
    let comment = comment.unwrap();
    assert_eq!(
        comment,
        "timestamp:1800000000\tfile:kit-1.1.0.zip\tversion:1.1.0\tkit:kit\tchannel:stable"
    );
    assert_eq!(COMMENT.check(comment), Ok(()));
    assert_eq!(comment_field(comment, "version"), Some("1.1.0"));
}

#[test]
fn another_file_another_comment_and_another_key_are_told_apart() {
    let keys = public(KeyState::Active);
    let prehash = Prehash::of(b"bytes");
    let good = signature(b"bytes");
    let verify = |signature: &FileSignature| signature.verify(&keys, &prehash).map(str::to_owned);
    assert_eq!(
        good.verify(&keys, &Prehash::of(b"other")),
        Err(MinisignError::BadSignature)
    );
    let mut other = good.clone();
    other.comment = other.comment.replace("1.1.0\tkit", "1.2.0\tkit");
    assert_eq!(verify(&other), Err(MinisignError::BadComment));
    let mut other = good.clone();
    other.key_id = [9; 8];
    assert_eq!(verify(&other), Err(MinisignError::UnknownKey));
    // The comment of one signature with another's: both are genuine, together they are not.
    let mut swapped = good.clone();
    let older = FileComment {
        version: "1.0.0",
        ..COMMENT
    };
    let older = sign_file(&key(), &Prehash::of(b"older"), &older).unwrap();
    swapped.comment.clone_from(&older.comment);
    swapped.comment_signature = older.comment_signature;
    assert_eq!(verify(&swapped), Err(MinisignError::BadComment));
    let compromised = public(KeyState::Compromised);
    assert_eq!(
        good.verify(&compromised, &prehash),
        Err(MinisignError::KeyCompromised)
    );
}

#[test]
fn a_comment_for_another_file_or_version_does_not_fit() {
    let misfit = |text: &str| COMMENT.check(text).unwrap_err();
    for (comment, field) in [
        ("timestamp:1\tfile:kit-1.1.0.zip", "version"),
        ("file:kit-1.1.0.zip\tversion:1.0.0", "version"),
        ("file:other.zip\tversion:1.1.0", "file"),
        (
            "file:kit-1.1.0.zip\tversion:1.1.0\tversion:1.0.0",
            "version",
        ),
        ("file:kit-1.1.0.zip\tversion:1.1.0\tkit:other", "kit"),
        ("file:kit-1.1.0.zip\tversion:1.1.0\tchannel:dev", "channel"),
    ] {
        assert_eq!(
            misfit(comment),
            MinisignError::OtherFile { field },
            "{comment}"
        );
    }
    let short = "timestamp:1\tfile:kit-1.1.0.zip\thashed\tversion:1.1.0";
    assert_eq!(COMMENT.check(short), Ok(()));
    assert_eq!(comment_field("version:1\tversion:2", "version"), None);
}

#[test]
fn what_is_no_signature_file_is_refused() {
    let good = signature(b"bytes").to_string();
    let lines: Vec<&str> = good.lines().collect();
    let malformed = Err(MinisignError::Malformed);
    assert_eq!(FileSignature::parse(""), malformed);
    assert_eq!(FileSignature::parse(&lines[..3].join("\n")), malformed);
    assert_eq!(FileSignature::parse(&format!("{good}more\n")), malformed);
    assert_eq!(
        FileSignature::parse(&good.replace("trusted comment", "Comment")),
        malformed
    );
    assert_eq!(FileSignature::parse(&good.replacen('=', "A", 1)), malformed);
    let long = good.replace("kit:kit", &"k".repeat(MAX_SIGNATURE_BYTES));
    assert_eq!(FileSignature::parse(&long), Err(MinisignError::TooLarge));
    let whole = STANDARD.encode([&WHOLE[..], &[0; 72]].concat());
    let whole = good.replace(lines[1], &whole);
    assert_eq!(
        FileSignature::parse(&whole),
        Err(MinisignError::NotPrehashed)
    );
}

#[test]
fn only_keys_for_artifacts_sign_files() {
    let document = SigningKey::from_bytes(KeyPurpose::Document, &[7; 32]);
    let refused = sign_file(&document, &Prehash::of(b""), &COMMENT);
    assert_eq!(refused, Err(SignError::WrongPurpose));
    assert_eq!(MinisignKey::of(&document.public(KeyState::Active)), None);
    let broken = FileComment {
        file: "a\nb",
        ..COMMENT
    };
    assert!(sign_file(&key(), &Prehash::of(b""), &broken).is_err());
}

#[test]
fn a_public_key_is_one_line_or_a_whole_file() {
    let keys = public(KeyState::Active);
    let line = keys[0].to_string();
    assert_eq!(line.len(), 56);
    assert!(line.starts_with("RW"), "{line}");
    for text in [
        line.clone(),
        format!("untrusted comment: minisign public key\n{line}\n"),
        format!("  {line}\r\n"),
    ] {
        assert_eq!(MinisignKey::parse(&text).as_ref(), Ok(&keys[0]), "{text}");
    }
    for text in [
        "",
        "RW",
        line.get(..55).unwrap(),
        &format!("{line}\n{line}"),
    ] {
        assert_eq!(
            MinisignKey::parse(text),
            Err(MinisignError::Malformed),
            "{text}"
        );
    }
    let weak = STANDARD.encode([&WHOLE[..], &[0; 8], &[1], &[0; 31]].concat());
    assert_eq!(MinisignKey::parse(&weak), Err(MinisignError::InvalidKey));
}
