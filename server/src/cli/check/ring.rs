//! What `kitward doctor` finds in the key ring.

use super::{Finding, finding};
use crate::app::App;
use crate::clock::Timestamp;
use crate::http::error::chain;
use crate::key_ring::{self, RingStanding};

/// Seconds before the end of a ring document at which an operator is warned.
const WARNING: i64 = 21 * 86_400;

pub(super) async fn findings(app: &App) -> Vec<Finding> {
    match key_ring::examine(&app.custody()).await {
        Err(error) => vec![finding("signing keys", Err(chain(&error)))],
        Ok(found) => {
            let keys = if found.problems.is_empty() {
                Ok("one active key a purpose, all open".to_owned())
            } else {
                Err(format!(
                    "{}: see \"A signing key was lost\" in docs/operations.md",
                    found.problems.join("; ")
                ))
            };
            let standing = judge(found.standing, app.clock.now());
            vec![finding("signing keys", keys), finding("key ring", standing)]
        }
    }
}

fn judge(standing: RingStanding, now: Timestamp) -> Result<String, String> {
    let way = if standing.root_is_here {
        "kitward serve renews it, and so does kitward keys sign-ring"
    } else {
        "the root key is off this server: kitward keys sign-ring --root FILE renews it"
    };
    match standing.ends_at {
        None => Err(format!("the ring was never signed: {way}")),
        Some(end) if end <= now => Err(format!("the signed ring ended on {end}: {way}")),
        Some(end) if end <= now.plus_seconds(WARNING) && !standing.root_is_here => {
            Ok(format!("warning: the signed ring ends on {end}: {way}"))
        }
        Some(end) => Ok(format!("signed until {end}; {way}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_that_nobody_renews_is_warned_of_and_then_fails() {
        let now = Timestamp::parse("2027-01-15T12:00:00Z").unwrap();
        let judged = |days: i64, root_is_here| {
            let ends_at = Some(now.plus_seconds(days * 86_400));
            judge(
                RingStanding {
                    ends_at,
                    root_is_here,
                },
                now,
            )
        };
        assert!(judged(22, false).unwrap().starts_with("signed until"));
        assert!(judged(21, false).unwrap().starts_with("warning"));
        assert!(judged(1, false).unwrap().contains("--root FILE"));
        assert!(judged(0, false).is_err() && judged(0, true).is_err());
        assert!(judged(1, true).unwrap().starts_with("signed until"));
        let never = RingStanding {
            ends_at: None,
            root_is_here: true,
        };
        assert!(judge(never, now).is_err());
    }
}
