//! From rows to what the pages show.

use kitward_portal::pages::{LicenseCard, LicensePage, PrimaryAction, SeatRow};
use kitward_portal::{Flash, FlashKind, Frame, SeatKind as ShownKind, Seats, Status};

use crate::activations::store::Activation;
use crate::clock::Timestamp;
use crate::downloads::newest::Newest;
use crate::kits::model::{Scope, SeatKind};
use crate::kits::store::{LicenseText, TextVersion};
use crate::licenses::model::LicenseStatus;
use crate::licenses::overview::{Detail, Overview};
use crate::licenses::store::Holding;
use crate::licenses::words;

/// What was just done, as a closed set of words in the query of the page's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    SeatFreed,
    SeatWasFree,
}

impl Done {
    const ALL: [Self; 2] = [Self::SeatFreed, Self::SeatWasFree];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::SeatFreed => "seat-freed",
            Self::SeatWasFree => "seat-was-free",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.word() == word)
    }

    pub(super) fn flash(self) -> Flash {
        let (kind, text) = match self {
            Self::SeatFreed => (FlashKind::Done, "The seat is free. It can be taken again."),
            Self::SeatWasFree => (FlashKind::Notice, "That seat was free already."),
        };
        Flash {
            kind,
            text: text.to_owned(),
            undo: None,
        }
    }
}

/// Why a seat was not freed.
pub(super) fn refused_flash(text: String) -> Flash {
    Flash {
        kind: FlashKind::Notice,
        text,
        undo: None,
    }
}

pub(super) fn card(overview: &Overview, newest: &[Newest], now: Timestamp) -> LicenseCard {
    let holding = &overview.holding;
    let license = &holding.license;
    let status = holding.standing(true).status(now);
    LicenseCard {
        id: license.id.to_string(),
        kit_names: kit_names(overview),
        edition: holding.terms.edition.clone(),
        status: shown_status(status),
        key_hint: overview.holding.key_hint.clone(),
        newest_version: version_words(overview, newest),
        updates_until: license.updates_until.map(Timestamp::utc),
        seats: seats(holding),
        primary: primary(overview, status),
    }
}

/// The version of the one kit; for several kits, how many have one. `None`: nothing is released.
fn version_words(overview: &Overview, newest: &[Newest]) -> Option<String> {
    let mut open = newest.iter().filter_map(|it| it.version.as_ref());
    match (newest, open.next(), open.count()) {
        ([], _, _) => None,
        (_, None, _) => Some("none".to_owned()),
        ([_], Some(version), 0) if overview.kits.len() == 1 => Some(version.clone()),
        (_, Some(_), others) => Some(format!("newest of {}", plural(others + 1))),
    }
}

fn plural(kits: usize) -> String {
    if kits == 1 {
        "1 kit".to_owned()
    } else {
        format!("{kits} kits")
    }
}

/// What most people come for, where it is there to be had.
fn primary(overview: &Overview, status: LicenseStatus) -> PrimaryAction {
    let (label, href) = match status {
        LicenseStatus::Active | LicenseStatus::Grace | LicenseStatus::Lapsed => {
            let slug = overview
                .kits
                .first()
                .map(|kit| format!("#kit-{}", kit.slug));
            (
                "Download",
                format!("/downloads{}", slug.unwrap_or_default()),
            )
        }
        LicenseStatus::Pending
        | LicenseStatus::Expired
        | LicenseStatus::Suspended
        | LicenseStatus::Revoked
        | LicenseStatus::Merged => (
            "See the license",
            format!("/licenses/{}", overview.holding.license.id),
        ),
    };
    PrimaryAction {
        label: label.to_owned(),
        href,
    }
}

pub(super) fn page(frame: Frame, detail: &Detail, now: Timestamp) -> LicensePage {
    let Overview { holding, kits } = &detail.overview;
    let license = &holding.license;
    let listed: Vec<String> = kits.iter().map(|kit| kit.name.clone()).collect();
    let order = detail.order.as_ref();
    let bought = order.map_or(license.created_at, |order| order.purchased_at);
    LicensePage {
        frame,
        id: license.id.to_string(),
        kit_names: kit_names(&detail.overview),
        edition: holding.terms.edition.clone(),
        status: shown_status(holding.standing(true).status(now)),
        key_hint: holding.key_hint.clone(),
        revealed_key: None,
        order_ref: order.map_or_else(|| "issued without one".to_owned(), |it| it.id.to_string()),
        purchased_at: bought.utc(),
        license_text: detail.text.as_ref().map(text_name),
        terms_in_words: words::terms(holding, &listed, now),
        valid_until: license.valid_until.map(Timestamp::utc),
        updates_until: license.updates_until.map(Timestamp::utc),
        seats: seats(holding),
        activations: detail.seats.iter().map(seat_row).collect(),
        flash: None,
    }
}

fn text_name(text: &LicenseText) -> String {
    let TextVersion { name, number, .. } = &text.version;
    format!("{name}, version {number}")
}

fn seat_row(row: &Activation) -> SeatRow {
    SeatRow {
        id: row.id.to_string(),
        name: row.name.clone(),
        kind: shown_kind(row.kind),
        identity: row.identity.clone(),
        version: row.version.clone(),
        platform: row.platform.clone(),
        created_at: row.created_at.utc(),
        last_seen_at: Some(row.last_seen_at.utc()),
    }
}

pub(in crate::licenses) fn kit_names(overview: &Overview) -> Vec<String> {
    match overview.holding.terms.scope {
        Scope::All => vec!["All kits".to_owned()],
        Scope::Kits => overview.kits.iter().map(|kit| kit.name.clone()).collect(),
    }
}

fn seats(holding: &Holding) -> Seats {
    Seats {
        kind: shown_kind(holding.terms.seat_kind),
        used: holding.license.seats_used.into(),
        limit: holding.license.seat_limit.map(i64::from),
    }
}

fn shown_kind(kind: SeatKind) -> ShownKind {
    match kind {
        SeatKind::None => ShownKind::None,
        SeatKind::Device => ShownKind::Device,
        SeatKind::Site => ShownKind::Site,
        SeatKind::User => ShownKind::User,
        SeatKind::Project => ShownKind::Project,
    }
}

fn shown_status(status: LicenseStatus) -> Status {
    match status {
        LicenseStatus::Pending => Status::Pending,
        LicenseStatus::Active => Status::Active,
        LicenseStatus::Grace => Status::Grace,
        LicenseStatus::Lapsed => Status::Lapsed,
        LicenseStatus::Expired => Status::Expired,
        LicenseStatus::Suspended => Status::Suspended,
        LicenseStatus::Revoked => Status::Revoked,
        LicenseStatus::Merged => Status::Merged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_the_set_make_a_message() {
        for done in Done::ALL {
            assert_eq!(Done::parse(done.word()), Some(done));
        }
        assert_eq!(Done::parse("you-won"), None);
    }
}
