use super::*;
use crate::releases::model::tests::{at, id, license, release};

#[test]
fn a_security_release_is_had_in_its_major_for_the_days_of_grace() {
    let end = "2027-03-01T00:00:00Z";
    let release = |version: u64, published: &str, severity: Severity| ReleaseFacts {
        major: version,
        severity,
        published_at: Some(at(published)),
        ..release()
    };
    let covered = release(1, end, Severity::Normal);
    let facts = license(Some(end)).with_security_grace(30, [covered].into_iter());
    let outcome = |release: &ReleaseFacts<'_>| downloadable(release, &facts);
    let refused = Err(Refusal::VersionNotCovered);
    let last = "2027-03-31T00:00:00Z";
    assert_eq!(outcome(&release(1, last, Severity::Security)), Ok(()));
    let after = "2027-03-31T00:00:00.000001Z";
    assert_eq!(outcome(&release(1, after, Severity::Security)), refused);
    assert_eq!(outcome(&release(2, last, Severity::Security)), refused);
    assert_eq!(outcome(&release(1, last, Severity::Normal)), refused);
    assert_eq!(outcome(&release(1, last, Severity::Critical)), refused);
    let none = license(Some(end)).with_security_grace(30, [].into_iter());
    let mended = release(1, "2027-03-02T00:00:00Z", Severity::Security);
    assert_eq!(downloadable(&mended, &none), refused);
    let zero = license(Some(end)).with_security_grace(0, [covered].into_iter());
    assert_eq!(downloadable(&mended, &zero), refused);
}

#[test]
fn a_major_is_covered_by_a_date_of_the_vendor_and_by_what_was_withdrawn() {
    let end = "2027-03-01T00:00:00Z";
    let mended = ReleaseFacts {
        severity: Severity::Security,
        published_at: Some(at("2027-03-02T00:00:00Z")),
        ..release()
    };
    let later = Some(at("2027-03-02T00:00:00Z"));
    let dated = ReleaseFacts {
        published_at: later,
        entitled_at: Some(at(end)),
        ..release()
    };
    let withdrawn = ReleaseFacts {
        withdrawn_at: later,
        ..release()
    };
    let draft = ReleaseFacts {
        status: ReleaseStatus::Draft,
        published_at: None,
        entitled_at: Some(at(end)),
        ..release()
    };
    for (base, expected) in [
        (dated, Ok(())),
        (withdrawn, Ok(())),
        (draft, Err(Refusal::VersionNotCovered)),
    ] {
        let facts = license(Some(end)).with_security_grace(30, [base].into_iter());
        assert_eq!(downloadable(&mended, &facts), expected);
    }
}

#[test]
fn a_grant_counts_instead_of_the_date_and_of_nothing_else() {
    let mut facts = license(Some("2027-01-01T00:00:00Z"));
    facts.granted = vec![id().clone()];
    assert_eq!(downloadable(&release(), &facts), Ok(()));
    let withdrawn = ReleaseFacts {
        withdrawn_at: Some(at("2027-03-02T00:00:00Z")),
        ..release()
    };
    assert_eq!(downloadable(&withdrawn, &facts), Err(Refusal::Withdrawn));
    let required = ["pro".to_owned()];
    let pro = ReleaseFacts {
        required: &required,
        ..release()
    };
    let missing = Refusal::EntitlementMissing("pro".to_owned());
    assert_eq!(downloadable(&pro, &facts), Err(missing));
}

#[test]
fn a_refusal_names_the_feature_that_is_missing() {
    let required = ["pro".to_owned(), "white-label".to_owned()];
    let release = ReleaseFacts {
        required: &required,
        ..release()
    };
    let mut facts = license(None);
    let missing = |name: &str| Err(Refusal::EntitlementMissing(name.to_owned()));
    assert_eq!(downloadable(&release, &facts), missing("pro"));
    assert_eq!(
        downloadable(&release, &LicenseFacts::anybody()),
        missing("pro")
    );
    facts.entitlements = vec!["pro".to_owned()];
    assert_eq!(downloadable(&release, &facts), missing("white-label"));
    facts.entitlements.push("white-label".to_owned());
    assert_eq!(downloadable(&release, &facts), Ok(()));
}
