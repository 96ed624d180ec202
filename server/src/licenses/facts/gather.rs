//! Reading what a verdict rests on: most of the time in one statement.

use std::sync::Arc;

use super::{Facts, Question};
use crate::activations::model::Identity;
use crate::activations::store::{Activation, count_ended_but_counted, find_by_identity};
use crate::app::App;
use crate::db::{AnyConn, DbError, LookUp};
use crate::kits::model::{Scope, SeatKind};
use crate::kits::store::{Kit, find_kit_by_slug, kits_by_ids};
use crate::licenses::keys;
use crate::licenses::model::{SeatState, VerdictCode};
use crate::licenses::store::{self, Glance, Holding, Sought};
use crate::licenses::tokens::model::DerivedKind;
use crate::releases::model::{Refusal, downloadable, parse_version, same_precedence};
use crate::releases::rights::{KitSide, rights};
use crate::releases::store::{grants_of_license, published};

/// A question of the kind that one statement answers most of the time. What many kits ask at once
/// is asked together.
#[derive(Debug)]
pub struct Glimpse(Arc<Question>);

impl LookUp for Glimpse {
    type Found = Option<Glance>;

    fn answer(conn: &mut AnyConn, questions: &[Self]) -> Result<Vec<Self::Found>, DbError> {
        let Some(Self(first)) = questions.first() else {
            return Ok(Vec::new());
        };
        // None is left out: a glimpse is made of nothing else.
        let sought: Vec<_> = questions.iter().filter_map(|it| it.0.sought()).collect();
        store::glance(conn, &first.terms, &sought)
    }
}

impl Glimpse {
    fn of(question: &Arc<Question>) -> Option<Self> {
        let is_one = question.sought().is_some();
        is_one.then(|| Self(Arc::clone(question)))
    }
}

impl Question {
    /// What one statement looks for; `None` for what takes several.
    fn sought(&self) -> Option<Sought<'_>> {
        Some(Sought {
            lookup: self.lookup.only()?,
            slug: &self.kit,
            identity: self.identity.as_ref(),
        })
    }
}

/// Reads the facts; `None` when no license has the key.
pub async fn read(app: &App, question: &Arc<Question>) -> Result<Option<Facts>, DbError> {
    // One statement sees one moment by itself, and is all that most calls need.
    if let Some(glimpse) = Glimpse::of(question) {
        let seen = app.db.read_grouped(&app.glimpses, glimpse).await?;
        match weigh(question, seen) {
            Seen::Nothing => return Ok(None),
            Seen::Whole(facts) => return Ok(Some(*facts)),
            Seen::InPart => {}
        }
    }
    let own = Arc::clone(question);
    app.db.read_snapshot(move |conn| gather(conn, &own)).await
}

/// The same inside a unit of work or a snapshot.
pub fn gather(conn: &mut AnyConn, question: &Question) -> Result<Option<Facts>, DbError> {
    match look(conn, question)? {
        Seen::Nothing => return Ok(None),
        Seen::Whole(facts) => return Ok(Some(*facts)),
        Seen::InPart => {}
    }
    let Some(mut holding) = keys::find(conn, &question.lookup)? else {
        return Ok(None);
    };
    let kit = find_kit_by_slug(conn, &question.kit)?;
    let covers_kit = match &kit {
        Some(kit) => store::covers(conn, &holding, &kit.id)?,
        None => false,
    };
    let scope = slugs(conn, &holding)?;
    let activation = match fitting(question, &holding) {
        Some(identity) => find_by_identity(conn, &holding.license.id, identity)?,
        None => None,
    };
    let seat = seat(question, &holding, activation.as_ref());
    if holding.terms.lease_seconds.is_some() {
        let ended = count_ended_but_counted(conn, &holding.license.id, question.now)?;
        let ended = i32::try_from(ended).unwrap_or(i32::MAX);
        holding.license.seats_used = holding.license.seats_used.saturating_sub(ended).max(0);
    }
    let version_not_covered = match &kit {
        Some(kit) if covers_kit => is_uncovered(conn, &holding, kit, question)?,
        _ => false,
    };
    Ok(Some(Facts {
        missing: missing(&holding, &question.entitlements),
        holding,
        kit_slug: kit.map(|kit| kit.slug),
        covers_kit,
        scope,
        activation,
        seat,
        version_not_covered,
        exhausted: None,
        now: question.now,
    }))
}

/// Slugs of the kits a license lists.
fn slugs(conn: &mut AnyConn, holding: &Holding) -> Result<Vec<String>, DbError> {
    match holding.terms.scope {
        Scope::All => Ok(Vec::new()),
        Scope::Kits => {
            let listed = store::kits_of(conn, &holding.license)?;
            let kits = kits_by_ids(conn, &listed)?;
            Ok(kits.into_iter().map(|kit| kit.slug).collect())
        }
    }
}

/// What one statement tells.
enum Seen {
    /// No license has the key.
    Nothing,
    /// All there is to know.
    Whole(Box<Facts>),
    /// The kit was named by a former slug or is none, the license lists several, its leases are to
    /// be counted, a version is to be looked at, or the key was imported.
    InPart,
}

fn look(conn: &mut AnyConn, question: &Question) -> Result<Seen, DbError> {
    let Some(sought) = question.sought() else {
        return Ok(Seen::InPart);
    };
    let seen = store::glance(conn, &question.terms, &[sought])?;
    Ok(weigh(question, seen.into_iter().flatten().next()))
}

fn weigh(question: &Question, seen: Option<Glance>) -> Seen {
    let Some(seen) = seen else {
        return Seen::Nothing;
    };
    let Glance {
        holding,
        terms,
        activation,
        kit: Some((kit, slug)),
    } = seen
    else {
        return Seen::InPart;
    };
    if holding.terms.lease_seconds.is_some() || ends_before(question, &holding) {
        return Seen::InPart;
    }
    let scope = match (holding.terms.scope, terms.kits.as_slice()) {
        (Scope::All, _) => Vec::new(),
        (Scope::Kits, [only]) if *only == kit => vec![slug.clone()],
        (Scope::Kits, _) => return Seen::InPart,
    };
    let activation = activation.filter(|_row| fitting(question, &holding).is_some());
    let seat = seat(question, &holding, activation.as_ref());
    Seen::Whole(Box::new(Facts {
        missing: missing(&holding, &question.entitlements),
        holding,
        kit_slug: Some(slug),
        covers_kit: true,
        scope,
        activation,
        seat,
        version_not_covered: false,
        exhausted: None,
        now: question.now,
    }))
}

/// Whether the version in use may have come out after the license's updates: not while they go on,
/// because what is published counts from that day or, back-dated, from an earlier one.
fn ends_before(question: &Question, holding: &Holding) -> bool {
    let end = || holding.standing(true).covers_until(question.now);
    question.version.is_some() && end().is_some_and(|end| end <= question.now)
}

/// An identity that takes a seat of this license; one of another kind than its seats is none. Who
/// shows a key that was replaced sees no seat: the license may be somebody else's by now.
fn fitting<'a>(question: &'a Question, holding: &Holding) -> Option<&'a Identity> {
    let terms = &holding.terms;
    let is_replaced = || {
        let refusal = holding.standing(true).refusal(question.now);
        refusal == Some(VerdictCode::KeyReplaced)
    };
    let identity = question.identity.as_ref();
    let identity = identity.filter(|_| !is_build(holding) && !is_replaced());
    identity
        .filter(|identity| terms.seat_kind != SeatKind::None && identity.kind == terms.seat_kind)
        .filter(|identity| !identity.needs_no_seat(terms.staging_hosts.words()))
}

/// Builds need no seat.
fn is_build(holding: &Holding) -> bool {
    let via = holding.via.as_ref();
    via.is_some_and(|via| via.kind == DerivedKind::Ci)
}

fn seat(question: &Question, holding: &Holding, row: Option<&Activation>) -> SeatState {
    if is_build(holding) {
        return SeatState::Unneeded;
    }
    let terms = &holding.terms;
    match (row, &question.identity) {
        (Some(row), _) => row.state(question.now),
        (None, Some(identity))
            if terms.seat_kind != SeatKind::None && identity.kind == terms.seat_kind =>
        {
            if fitting(question, holding).is_some() {
                SeatState::Never
            } else {
                SeatState::Unneeded
            }
        }
        (None, _) => SeatState::NoIdentity,
    }
}

fn missing(holding: &Holding, needed: &[String]) -> Vec<String> {
    if needed.is_empty() {
        return Vec::new();
    }
    let own = holding.entitlements();
    let mut missing: Vec<String> = needed
        .iter()
        .filter(|it| !own.contains(it))
        .cloned()
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// Whether the version in use came out after the license's updates: asked only where they end, and
/// answered by the predicate every download asks. A version that was never released is no matter
/// of coverage.
fn is_uncovered(
    conn: &mut AnyConn,
    holding: &Holding,
    kit: &Kit,
    question: &Question,
) -> Result<bool, DbError> {
    let standing = holding.standing(true);
    let version = question
        .version
        .as_deref()
        .and_then(|text| parse_version(text).ok());
    let Some(version) = version.filter(|_| standing.covers_until(question.now).is_some()) else {
        return Ok(false);
    };
    let releases = published(conn, std::slice::from_ref(&kit.id))?;
    let mut all = releases.iter();
    let Some((_, release)) = all.find(|(known, _)| same_precedence(known, &version)) else {
        return Ok(false);
    };
    let granted = grants_of_license(conn, &holding.license.id)?;
    let side = KitSide {
        kit,
        releases: &releases,
        granted: &granted,
    };
    let license = rights(holding, side, question.now);
    let outcome = downloadable(&release.facts(), &license);
    Ok(outcome == Err(Refusal::VersionNotCovered))
}
