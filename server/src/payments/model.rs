//! Providers, modes, prices, stored events.

use crate::db::types::{text_enum, typed_id};

typed_id!(
    /// What a provider sells, mapped to policies.
    PriceId, "pri"
);
typed_id!(
    /// One stored provider event.
    PaymentEventId, "pev"
);

text_enum! {
    /// Who takes the money.
    pub enum Provider {
        /// Stripe.
        Stripe = "stripe",
    }
}

text_enum! {
    /// Real money or not. Another mode is another installation.
    #[derive(schemars::JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Mode {
        /// Real money.
        Live = "live",
        /// The provider's test mode.
        Test = "test",
    }
}

text_enum! {
    /// What a quantity of more than one means.
    pub enum QuantityRule {
        /// One license with that many times the seats.
        Seats = "seats",
        /// That many licenses.
        Licenses = "licenses",
    }
}

text_enum! {
    /// What became of a stored event.
    pub enum EventStatus {
        /// Waits to be reduced.
        Received = "received",
        /// Reduced.
        Handled = "handled",
        /// Of the other mode: touches nothing.
        IgnoredMode = "ignored_mode",
        /// Of a type that has no effect here.
        IgnoredType = "ignored_type",
        /// Could not be reduced.
        Failed = "failed",
    }
}
