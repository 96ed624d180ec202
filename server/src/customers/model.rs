//! Customers, roles, orders, and what a mail address is.

use unicode_normalization::UnicodeNormalization;

use crate::db::types::{text_enum, typed_id};

typed_id!(
    /// A customer.
    CustomerId, "cus"
);
typed_id!(
    /// One purchase.
    OrderId, "ord"
);
typed_id!(
    /// One line of a purchase.
    OrderItemId, "oit"
);

text_enum! {
    /// What a person may do for a customer.
    pub enum Role {
        /// Everything, keys and members included.
        Owner = "owner",
        /// Orders and payment.
        Billing = "billing",
        /// Use the licenses.
        Member = "member",
    }
}

text_enum! {
    /// How far an order is.
    pub enum OrderStatus {
        /// Paid, but a price is not mapped to policies yet.
        NeedsMapping = "needs_mapping",
        /// Every line has its licenses.
        Fulfilled = "fulfilled",
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See licenses, seats and downloads.
    See,
    /// Fetch covered files.
    Download,
    /// Free seats.
    FreeSeat,
    /// Read a license key in full.
    RevealKey,
    /// Make tokens for builds and downloads, and revoke one's own.
    MakeToken,
    /// See orders.
    SeeOrders,
}

/// The role × action table.
pub fn may(role: Role, action: Action) -> bool {
    match (role, action) {
        (Role::Owner, _)
        | (_, Action::See)
        | (Role::Member, Action::Download | Action::MakeToken)
        | (Role::Billing, Action::SeeOrders) => true,
        (
            Role::Billing,
            Action::Download | Action::FreeSeat | Action::RevealKey | Action::MakeToken,
        )
        | (Role::Member, Action::FreeSeat | Action::RevealKey | Action::SeeOrders) => false,
    }
}

/// Longest mail address (RFC 5321 §4.5.3.1.3).
const ADDRESS_MAX: usize = 254;

/// The identity of a mail address: trimmed, NFC, domain in lower case and IDNA, compared without
/// case; dots and plus-tags are kept. `None` when it is no address.
pub fn normalize_address(text: &str) -> Option<String> {
    let text: String = text.trim().nfc().collect();
    let (local, domain) = text.rsplit_once('@')?;
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let bad =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"');
    if local.is_empty() || local.contains('@') || local.chars().any(bad) {
        return None;
    }
    let address = format!("{}@{domain}", local.to_lowercase());
    let parses = address.parse::<lettre::Address>().is_ok();
    (parses && address.len() <= ADDRESS_MAX).then_some(address)
}

/// How an address may stand where it was stored as typed, in small letters: by its identity, with its
/// domain in the domain's own letters, and like `typed`; all of it written small or large.
pub fn spellings(address: &str, typed: &str) -> Vec<String> {
    let mut all = vec![address.to_owned(), typed.trim().to_ascii_lowercase()];
    if let Some((local, domain)) = address.rsplit_once('@') {
        let (domain, _readable) = idna::domain_to_unicode(domain);
        all.push(format!("{local}@{domain}"));
    }
    // SQLite leaves large letters beyond ASCII as they are: an address may stand all in large ones.
    // But what does not come back as it was (ß is SS) is another address.
    let large = |it: &String| {
        let large = it.to_uppercase();
        (large.to_lowercase() == *it).then(|| large.to_ascii_lowercase())
    };
    all.extend(all.iter().filter_map(large).collect::<Vec<_>>());
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_for_in_every_spelling_it_may_have() {
        let of = |typed: &str| spellings(&normalize_address(typed).unwrap(), typed);
        assert_eq!(of(" Buyer@Example.COM "), ["buyer@example.com"]);
        let all = [
            "buyer@b\u{dc}cher.example",
            "buyer@b\u{fc}cher.example",
            "buyer@xn--bcher-kva.example",
        ];
        assert_eq!(of("Buyer@B\u{fc}cher.example"), all);
        assert_eq!(of("buyer@xn--bcher-kva.example"), all);
        let sharp = of("kim@stra\u{df}e.example");
        assert!(sharp.contains(&"kim@stra\u{df}e.example".to_owned()));
        assert!(!sharp.contains(&"kim@strasse.example".to_owned()));
    }

    #[test]
    fn addresses_are_one_identity_whatever_their_case() {
        let same = Some("buyer+kit@example.com".to_owned());
        assert_eq!(normalize_address(" Buyer+Kit@EXAMPLE.com "), same);
        assert_eq!(
            normalize_address("buyer@bücher.example").as_deref(),
            Some("buyer@xn--bcher-kva.example")
        );
        assert_ne!(
            normalize_address("b.uyer@example.com"),
            normalize_address("buyer@example.com")
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "@",
            "a@",
            "@b.c",
            "a b@example.com",
            "a@b\r\nBcc: c@d.example",
            "a@b@c.example",
            "<a@example.com>",
            "a,b@example.com",
        ] {
            assert_eq!(normalize_address(bad), None, "{bad:?}");
        }
        assert_eq!(
            normalize_address(&format!("{}@example.com", "a".repeat(300))),
            None
        );
    }

    #[test]
    fn only_owners_reveal_keys_and_free_seats() {
        for role in [Role::Billing, Role::Member] {
            assert!(!may(role, Action::RevealKey));
            assert!(!may(role, Action::FreeSeat));
            assert!(may(role, Action::See));
        }
        assert!(!may(Role::Billing, Action::Download));
        assert!(!may(Role::Billing, Action::MakeToken));
        assert!(may(Role::Member, Action::MakeToken));
        assert!(may(Role::Owner, Action::RevealKey));
    }
}
