//! Kitward.
fn main() {}
