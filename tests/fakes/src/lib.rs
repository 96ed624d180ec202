//! Stand-ins for the outside world, for tests and for `kitward demo`.
//!
//! Every listener binds to 127.0.0.1 and stops when its last clone is dropped.
//!
//! - [`FakeStripe`]: the part of the Stripe API that a sale needs.
//! - [`Inbox`]: an SMTP server that keeps what it receives, with a page to read it.
//! - [`ChaosProxy`]: a TCP proxy that can slow down, freeze or cut what passes through it.
//! - [`sample_kit_zip`]: a small source kit, the same bytes each time.

mod chaos;
mod inbox;
mod kit;
mod loopback;
mod stripe;

pub use chaos::ChaosProxy;
pub use inbox::{Behavior, Inbox, Mail};
pub use kit::sample_kit_zip;
pub use stripe::{Checkout, CheckoutIds, CheckoutLine, FakeStripe, RecordedRequest, sign_event};
