//! The terms of a license in sentences.

use super::store::Holding;
use crate::clock::Timestamp;
use crate::kits::model::SeatKind;

/// What a license grants, one sentence each. `kits` are the names it lists; none for all kits.
pub fn terms(holding: &Holding, kits: &[String], now: Timestamp) -> Vec<String> {
    let license = &holding.license;
    let mut sentences = vec![scope(kits), usage(license.valid_until, now)];
    sentences.push(updates(license.updates_until, license.valid_until, now));
    sentences.extend(seats(holding.terms.seat_kind, license.seat_limit));
    sentences
}

fn scope(kits: &[String]) -> String {
    match kits {
        [] => "Every kit, those published later included.".to_owned(),
        [one] => format!("{one}."),
        several => format!("{} kits: {}.", several.len(), several.join(", ")),
    }
}

fn usage(valid_until: Option<Timestamp>, now: Timestamp) -> String {
    match valid_until {
        None => "Yours to use for good.".to_owned(),
        Some(end) if end <= now => format!("Use ended on {}.", day(end)),
        Some(end) => format!("Yours to use until {}.", day(end)),
    }
}

fn updates(until: Option<Timestamp>, valid_until: Option<Timestamp>, now: Timestamp) -> String {
    let Some(end) = until else {
        return "Updates for good.".to_owned();
    };
    let kept = match valid_until {
        None => "is yours for good",
        Some(_) => "stays yours as long as the license",
    };
    if end <= now {
        format!(
            "Updates ended on {}; what was released by then {kept}.",
            day(end)
        )
    } else {
        format!(
            "Updates until {}; what was released by then {kept}.",
            day(end)
        )
    }
}

fn seats(kind: SeatKind, limit: Option<i32>) -> Option<String> {
    let (one, many) = match kind {
        SeatKind::None => return None,
        SeatKind::Device => ("device", "devices"),
        SeatKind::Site => ("site", "sites"),
        SeatKind::User => ("user", "users"),
        SeatKind::Project => ("project", "projects"),
    };
    Some(match limit {
        None => format!("Any number of {many}."),
        Some(1) => format!("1 {one}."),
        Some(limit) => format!("{limit} {many}."),
    })
}

/// A date as people read it: `1 May 2027`.
pub fn day(at: Timestamp) -> String {
    at.utc().format("%-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn updates_say_what_stays() {
        let (now, end) = (at("2027-01-01T00:00:00Z"), at("2027-05-01T00:00:00Z"));
        let kept = "Updates until 1 May 2027; what was released by then is yours for good.";
        assert_eq!(updates(Some(end), None, now), kept);
        let over = "Updates ended on 1 May 2027; what was released by then is yours for good.";
        assert_eq!(updates(Some(end), None, end), over);
        let bounded = updates(Some(end), Some(end), now);
        assert!(!bounded.contains("for good"), "{bounded}");
        assert_eq!(updates(None, None, now), "Updates for good.");
    }

    #[test]
    fn seats_are_counted_in_their_own_word() {
        assert_eq!(
            seats(SeatKind::Device, Some(3)).as_deref(),
            Some("3 devices.")
        );
        assert_eq!(seats(SeatKind::Site, Some(1)).as_deref(), Some("1 site."));
        assert_eq!(
            seats(SeatKind::User, None).as_deref(),
            Some("Any number of users.")
        );
        assert_eq!(seats(SeatKind::None, None), None);
    }

    #[test]
    fn the_scope_names_every_kit() {
        let names = ["A Kit".to_owned(), "B Kit".to_owned()];
        assert_eq!(scope(&names), "2 kits: A Kit, B Kit.");
        assert_eq!(scope(&names[..1]), "A Kit.");
        assert_eq!(scope(&[]), "Every kit, those published later included.");
    }
}
