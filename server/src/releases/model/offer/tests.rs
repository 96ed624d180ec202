use super::*;
use crate::releases::model::tests::{asking, at, license, release, version};
use crate::releases::model::{Rollout, Step};

#[test]
fn a_version_out_of_reach_is_taken_by_the_step_in_between() {
    let (low, middle, high) = (version("1.0.0"), version("2.0.0"), version("3.0.0"));
    let third = ReleaseFacts {
        minimum_version: Some("2.0.0"),
        ..release()
    };
    let open = license(None);
    let is_offered = |version: &Version, facts: &ReleaseFacts<'_>, present: &Version| {
        offered((version, facts), &open, &asking(present, Channel::Stable))
    };
    assert!(!is_offered(&high, &third, &low));
    assert!(is_offered(&middle, &release(), &low));
    assert!(is_offered(&high, &third, &middle));
    assert!(!is_offered(&high, &third, &version("2.0.0-rc.1")));
}

#[test]
fn a_rollout_comes_to_some_first_and_a_halt_to_nobody() {
    let share = |percent: u8| {
        let step = Step {
            at: at("2027-05-01T00:00:00Z"),
            percent,
        };
        Rollout::new(vec![step]).unwrap()
    };
    let (low, high) = (version("1.0.0"), version("1.1.0"));
    let open = license(None);
    // Its place in the queue is 1613.
    let caller = asking(&low, Channel::Stable);
    let manual = Caller {
        is_manual: true,
        ..caller
    };
    let nobody = Caller {
        subject: None,
        ..caller
    };
    let some = |percent, severity, halted_at, caller: &Caller<'_>| {
        let rollout = share(percent);
        let facts = ReleaseFacts {
            rollout: Some(&rollout),
            severity,
            halted_at,
            ..release()
        };
        offered((&high, &facts), &open, caller)
    };
    let normal = Severity::Normal;
    assert!(!some(16, normal, None, &caller) && some(17, normal, None, &caller));
    assert!(!some(99, normal, None, &nobody) && some(100, normal, None, &nobody));
    assert!(some(1, normal, None, &manual) && some(1, Severity::Critical, None, &nobody));
    assert!(!some(0, normal, None, &manual) && !some(0, Severity::Critical, None, &caller));
    let halted = Some(at("2027-05-02T00:00:00Z"));
    for caller in [&caller, &manual, &nobody] {
        assert!(!some(100, Severity::Critical, halted, caller));
    }
}

#[test]
fn a_file_without_a_machine_is_for_all_machines() {
    let machine = |platform: Option<&str>, arch: Option<&str>| Machine {
        platform: platform.map(str::to_owned),
        arch: arch.map(str::to_owned),
    };
    let any = machine(None, None);
    let linux = machine(Some("linux"), Some("x86_64"));
    assert!(any.is_any() && !linux.is_any() && !machine(None, Some("arm64")).is_any());
    assert!(any.takes(Some("windows"), Some("arm64")) && any.takes(None, None));
    assert!(linux.takes(None, None) && linux.takes(Some("linux"), None));
    assert!(linux.takes(Some("linux"), Some("x86_64")));
    assert!(!linux.takes(Some("windows"), None) && !linux.takes(None, Some("arm64")));
}
