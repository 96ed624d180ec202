//! Requests that are sent again where that may help: lost connections, servers that restart or are
//! busy.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use super::super::output::Failed;
use super::refusal;
use crate::entropy::{Entropy, SystemEntropy, bytes};

/// Milliseconds before each further attempt, half of them by chance.
const WAITS: [u64; 9] = [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000];
/// Longest wait that a server may ask for.
const LONGEST: Duration = Duration::from_mins(2);

/// Why a request was not done.
#[derive(Debug)]
pub(in super::super) enum Unanswered {
    /// The connection.
    Lost(reqwest::Error),
    /// The server said no.
    Refused {
        status: StatusCode,
        problem: Value,
        retry_after: Option<Duration>,
    },
    /// It was not sent.
    Unsent(Failed),
}

impl Unanswered {
    pub(super) async fn or_answer(request: RequestBuilder) -> Result<Value, Self> {
        let response = request.send().await.map_err(Self::Lost)?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = response.text().await.map_err(Self::Lost)?;
        let value = serde_json::from_str(&body).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        Err(Self::Refused {
            status,
            problem: value,
            retry_after,
        })
    }

    /// Whether the same request may be answered later. All that are sent this way may be repeated.
    fn may_pass(&self) -> bool {
        match self {
            Self::Lost(error) => !error.is_builder(),
            Self::Refused { status, .. } => {
                matches!(status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504)
            }
            Self::Unsent(_) => false,
        }
    }

    /// A refusal with this status.
    pub(in super::super) fn is(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused { status, .. } if status.as_u16() == wanted)
    }

    /// A member of the refusal.
    pub(in super::super) fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Refused { problem, .. } => problem.get(name),
            Self::Lost(_) | Self::Unsent(_) => None,
        }
    }

    fn wait(&self, usual: u64) -> Duration {
        let chance = u64::from(u16::from_be_bytes(bytes(&SystemEntropy as &dyn Entropy)));
        let usual = usual / 2 + usual * chance / (2 * u64::from(u16::MAX));
        let asked = match self {
            Self::Refused { retry_after, .. } => retry_after.unwrap_or_default(),
            Self::Lost(_) | Self::Unsent(_) => Duration::ZERO,
        };
        Duration::from_millis(usual).max(asked.min(LONGEST))
    }
}

impl From<Failed> for Unanswered {
    fn from(failed: Failed) -> Self {
        Self::Unsent(failed)
    }
}

impl From<Unanswered> for Failed {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Lost(error) => error.into(),
            Unanswered::Refused {
                status, problem, ..
            } => refusal(status, &problem),
            Unanswered::Unsent(failed) => failed,
        }
    }
}

/// Tries until it is done, is refused for good, or was tried for about a minute.
pub(in super::super) async fn persist<F>(attempt: impl FnMut() -> F) -> Result<Value, Unanswered>
where
    F: Future<Output = Result<Value, Unanswered>>,
{
    persist_with(&WAITS, attempt).await
}

async fn persist_with<F>(waits: &[u64], mut attempt: impl FnMut() -> F) -> Result<Value, Unanswered>
where
    F: Future<Output = Result<Value, Unanswered>>,
{
    for wait in waits {
        match attempt().await {
            Err(error) if error.may_pass() => tokio::time::sleep(error.wait(*wait)).await,
            outcome => return outcome,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn refused(status: u16, seconds: u64) -> Unanswered {
        Unanswered::Refused {
            status: StatusCode::from_u16(status).unwrap(),
            problem: Value::Null,
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_what_is_refused_is_not() {
        for (status, expected) in [(503, 10), (429, 10), (409, 1), (507, 1), (500, 1)] {
            let tries = Cell::new(0);
            let outcome = persist_with(&[0; 9], || {
                tries.set(tries.get() + 1);
                async { Err(refused(status, 0)) }
            });
            assert!(outcome.await.is_err_and(|error| error.is(status)));
            assert_eq!(tries.get(), expected, "{status}");
        }
        let tries = Cell::new(0);
        let outcome = persist_with(&[0; 9], || {
            tries.set(tries.get() + 1);
            let is_back = tries.get() == 3;
            async move {
                if is_back {
                    Ok(Value::Null)
                } else {
                    Err(refused(502, 0))
                }
            }
        });
        assert!(outcome.await.is_ok());
    }

    #[test]
    fn a_server_that_names_a_time_is_obeyed() {
        assert!(refused(429, 7).wait(250) >= Duration::from_secs(7));
    }
}
