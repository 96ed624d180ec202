//! Not tests: the processes that tests start.

#[test]
fn serves_when_asked() {
    kitward_tests::serve_if_asked();
}

#[test]
fn runs_a_command_when_asked() {
    kitward_tests::run_command_if_asked();
}
