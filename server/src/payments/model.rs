//! Providers, modes, prices, stored events.

mod checkout;
mod envelope;

pub use checkout::{Checkout, CheckoutLine, tidy};
pub use envelope::{Envelope, EnvelopeError};

use crate::db::types::{text_enum, typed_id};

/// Most licenses one line of an order may make; more are a mistake or an attack.
const LICENSES_MAX: usize = 1000;

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

impl Mode {
    /// The mode a provider's `livemode` stands for.
    pub fn of(livemode: bool) -> Self {
        if livemode { Self::Live } else { Self::Test }
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

impl QuantityRule {
    /// How many licenses of each policy a quantity makes; `None` when they are too many.
    pub fn licenses(self, quantity: i64) -> Option<usize> {
        let count = match self {
            Self::Seats => 1,
            Self::Licenses => usize::try_from(quantity).ok()?,
        };
        (1..=LICENSES_MAX).contains(&count).then_some(count)
    }

    /// How many times the policy's seats each of them has.
    pub fn seats_times(self, quantity: i64) -> i64 {
        match self {
            Self::Seats => quantity,
            Self::Licenses => 1,
        }
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

/// Whether a text can be a price of Stripe's.
pub fn is_stripe_price(text: &str) -> bool {
    text.strip_prefix("price_").is_some_and(|rest| {
        (1..=249).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_means_seats_or_licenses() {
        assert_eq!(QuantityRule::Seats.licenses(5), Some(1));
        assert_eq!(QuantityRule::Seats.seats_times(5), 5);
        assert_eq!(QuantityRule::Licenses.licenses(5), Some(5));
        assert_eq!(QuantityRule::Licenses.seats_times(5), 1);
    }

    #[test]
    fn no_line_makes_a_flood_of_licenses() {
        assert_eq!(QuantityRule::Licenses.licenses(1000), Some(1000));
        for quantity in [-1, 0, 1001, i64::MAX] {
            assert_eq!(QuantityRule::Licenses.licenses(quantity), None);
        }
    }

    #[test]
    fn only_prices_are_mapped() {
        assert!(is_stripe_price("price_1Nabc_d"));
        for bad in ["", "price_", "prod_1", "price_1/../x", "price_é"] {
            assert!(!is_stripe_price(bad), "{bad}");
        }
    }
}
