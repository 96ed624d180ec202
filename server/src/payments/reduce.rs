//! Reducing a stored event to state.

use std::sync::Arc;

use super::model::PaymentEventId;
use crate::app::App;
use crate::outbox::Failure;

/// Fetches what the event is about and applies it.
pub async fn reduce(_app: &Arc<App>, _event: &PaymentEventId) -> Result<(), Failure> {
    Ok(())
}
