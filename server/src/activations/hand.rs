//! Whose hand moves seats, and when.

use std::sync::Arc;

use super::model::{ActivationEventId, ByWhom};
use crate::app::App;
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::entropy::Entropy;

/// What every change of a seat needs beside the seat.
#[derive(Debug, Clone)]
pub struct Hand {
    /// Whose.
    pub by: ByWhom,
    /// When.
    pub now: Timestamp,
    entropy: Arc<dyn Entropy>,
}

impl Hand {
    /// A hand at work now.
    pub fn new(app: &App, by: ByWhom) -> Self {
        Self {
            by,
            now: app.clock.now(),
            entropy: Arc::clone(&app.entropy),
        }
    }

    /// The hand of who stands in the audit log.
    pub fn of(app: &App, actor: &Actor) -> Self {
        let by = match actor {
            Actor::Person(_) => ByWhom::Customer,
            Actor::Operator | Actor::Token(_) => ByWhom::Staff,
            Actor::System | Actor::Provider(_) => ByWhom::System,
        };
        Self::new(app, by)
    }

    /// The same moment, as time's own doing.
    #[must_use]
    pub fn of_time(&self) -> Self {
        Self {
            by: ByWhom::System,
            ..self.clone()
        }
    }

    /// A new event's id.
    pub fn event_id(&self) -> ActivationEventId {
        ActivationEventId::new(self.now, self.entropy.as_ref())
    }
}
