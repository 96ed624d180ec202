//! Not a test: the server that tests kill.

#[test]
fn serves_when_asked() {
    kitward_tests::serve_if_asked();
}
