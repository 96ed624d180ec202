//! A purchase as the provider shows it now, reduced to what matters here.

use crate::clock::Timestamp;

/// Longest name, tax id or description that is kept, in characters.
const TEXT_MAX: usize = 200;

/// A checkout as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The provider's id: one order each.
    pub id: String,
    /// `payment`, `subscription` or `setup`.
    pub mode: String,
    /// `paid`, `unpaid` or `no_payment_required`.
    pub payment_status: String,
    /// Whether real money was asked for.
    pub livemode: bool,
    /// Address typed at checkout.
    pub email: Option<String>,
    /// Name typed at checkout.
    pub name: Option<String>,
    /// Tax id typed at checkout.
    pub tax_id: Option<String>,
    /// The provider's id of the customer.
    pub customer: Option<String>,
    /// The provider's id of the payment, for refunds and disputes.
    pub payment_intent: Option<String>,
    /// ISO 4217, upper case.
    pub currency: String,
    /// Minor units, before tax and discounts.
    pub subtotal: i64,
    /// Minor units.
    pub tax: i64,
    /// Minor units, after tax and discounts.
    pub total: i64,
    /// When it was begun.
    pub created: Timestamp,
    /// What was bought.
    pub lines: Vec<CheckoutLine>,
}

/// One line of a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutLine {
    /// The provider's id of the line.
    pub line_key: String,
    /// The provider's price.
    pub price: Option<String>,
    /// The provider's product.
    pub product: Option<String>,
    /// What the buyer read.
    pub description: String,
    /// How many, at least 1.
    pub quantity: i64,
    /// Minor units, before tax and discounts.
    pub subtotal: i64,
    /// Minor units.
    pub tax: i64,
    /// Minor units, after tax and discounts.
    pub total: i64,
}

impl Checkout {
    /// Whether it is a finished one-time purchase. A delayed payment is not finished, and a
    /// subscription speaks for itself elsewhere.
    pub fn is_bought(&self) -> bool {
        let settled = matches!(self.payment_status.as_str(), "paid" | "no_payment_required");
        settled && self.mode == "payment"
    }
}

/// Text of somebody else as it may stand in a column, a page or a mail: without control
/// characters and double spaces, of bounded length. `None` when nothing is left.
pub fn tidy(text: &str) -> Option<String> {
    let spaced = text.replace(|c: char| c.is_control(), " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let text: String = words.join(" ").chars().take(TEXT_MAX).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout(mode: &str, payment_status: &str) -> Checkout {
        Checkout {
            id: "cs_1".to_owned(),
            mode: mode.to_owned(),
            payment_status: payment_status.to_owned(),
            livemode: false,
            email: None,
            name: None,
            tax_id: None,
            customer: None,
            payment_intent: None,
            currency: "JPY".to_owned(),
            subtotal: 0,
            tax: 0,
            total: 0,
            created: Timestamp::parse("2027-01-01T00:00:00Z").unwrap(),
            lines: Vec::new(),
        }
    }

    #[test]
    fn only_a_settled_purchase_is_bought() {
        assert!(checkout("payment", "paid").is_bought());
        assert!(checkout("payment", "no_payment_required").is_bought());
        assert!(!checkout("payment", "unpaid").is_bought());
        assert!(!checkout("payment", "of a later version").is_bought());
        assert!(!checkout("subscription", "paid").is_bought());
    }

    #[test]
    fn text_of_others_is_made_one_bounded_line() {
        assert_eq!(
            tidy(" Ex\0ample\r\n\tLtd ").as_deref(),
            Some("Ex ample Ltd")
        );
        assert_eq!(tidy("\u{1b}\n"), None);
        assert_eq!(tidy(&"é".repeat(500)).unwrap().chars().count(), TEXT_MAX);
    }
}
