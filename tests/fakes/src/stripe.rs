//! A stand-in for the Stripe API.
//!
//! It serves the current state of the Checkout Sessions given to it, and of any other object
//! stored with [`FakeStripe::add_object`]. Events are built, never delivered: the caller signs
//! one with [`sign_event`] and posts it, so that a test decides on order, repetition and loss.
//! A secret key of either mode sees the objects of both.

mod checkout;
mod objects;
mod routes;
mod server;
mod signature;
mod state;

pub use checkout::{Checkout, CheckoutIds, CheckoutLine};
pub use server::FakeStripe;
pub use signature::sign_event;
pub use state::RecordedRequest;
