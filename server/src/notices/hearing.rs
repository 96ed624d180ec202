//! Who hears of a release now, and how it stands for them. The walk asks, and once more the mail.

use std::collections::BTreeMap;

use semver::Version;

use super::model::{NoticeKind, Reason};
use super::store::{self, Off};
use crate::clock::Timestamp;
use crate::customers::model::{Action, CustomerId, may};
use crate::db::{AnyConn, DbError};
use crate::kits;
use crate::kits::model::{KitId, Scope};
use crate::kits::store::Kit;
use crate::licenses;
use crate::licenses::model::{LicenseId, VerdictCode};
use crate::licenses::store::Holding;
use crate::people::model::PersonId;
use crate::releases::model::{
    Caller, LicenseFacts, Refusal, ReleaseId, ReleaseStatus, downloadable, has_come_to, listed,
};
use crate::releases::rights::{KitSide, rights};
use crate::releases::store::{Release, grants_of_licenses, published};

/// How a release stands for somebody who hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// A license may have it.
    Open,
    /// None may; an advisory says so, and the way out.
    Locked {
        /// The license that has a way out.
        license: LicenseId,
        /// What stands in the way.
        refusal: Refusal,
    },
}

/// Whether one person hears of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearing {
    /// Yes.
    Told(Stand),
    /// No.
    Not(Reason),
}

/// Whether people are told of a release at all, now.
pub fn is_out(release: &Release) -> bool {
    release.status == ReleaseStatus::Published
        && release.yanked_at.is_none()
        && release.withdrawn_at.is_none()
        && release.halted_at.is_none()
}

/// A release with what its kit brings to the predicate.
struct Subject<'a> {
    release: &'a Release,
    kind: NoticeKind,
    kit: Kit,
    siblings: Vec<(Version, Release)>,
    now: Timestamp,
}

/// How a release stands for each of these people.
pub fn hearings(
    conn: &mut AnyConn,
    (release, kind): (&Release, NoticeKind),
    people: &[PersonId],
    now: Timestamp,
) -> Result<Vec<(PersonId, Hearing)>, DbError> {
    let Some(kit) = kits::store::find_kit(conn, &release.kit_id)? else {
        return Ok(Vec::new());
    };
    let subject = Subject {
        release,
        kind,
        siblings: published(conn, std::slice::from_ref(&kit.id))?,
        kit,
        now,
    };
    let off = store::choices_of(conn, people)?;
    let mut of_person = holdings_of(conn, &release.kit_id, people)?;
    let granted = granted_to(conn, &of_person)?;
    let mut one = |person: &PersonId| {
        let holdings = of_person.remove(person).unwrap_or_default();
        let hearing = subject.best(&holdings, &granted);
        let hearing = unless_off(hearing, &off, person, (&release.kit_id, kind));
        (person.clone(), hearing)
    };
    Ok(people.iter().map(&mut one).collect())
}

/// Releases that were granted to licenses.
type Granted = BTreeMap<LicenseId, Vec<ReleaseId>>;

fn granted_to(
    conn: &mut AnyConn,
    of_person: &BTreeMap<PersonId, Vec<Holding>>,
) -> Result<Granted, DbError> {
    let holdings = of_person.values().flatten();
    let mut ids: Vec<LicenseId> = holdings.map(|it| it.license.id.clone()).collect();
    ids.sort();
    ids.dedup();
    let mut granted = Granted::new();
    for (license, release) in grants_of_licenses(conn, &ids)? {
        granted.entry(license).or_default().push(release);
    }
    Ok(granted)
}

/// Licenses for a kit, of those customers for which a person may download.
fn holdings_of(
    conn: &mut AnyConn,
    kit: &KitId,
    people: &[PersonId],
) -> Result<BTreeMap<PersonId, Vec<Holding>>, DbError> {
    let mut memberships = store::memberships_of_all(conn, people)?;
    memberships.retain(|(_, _, role)| may(*role, Action::Download));
    let mut customers: Vec<CustomerId> = memberships.iter().map(|it| it.1.clone()).collect();
    customers.sort();
    customers.dedup();
    let holdings = licenses::store::of_customers(conn, &customers)?;
    let listed = licenses::store::kits_of_all(conn, &holdings)?;
    let covers = |holding: &Holding| {
        let id = &holding.license.id;
        holding.terms.scope == Scope::All || listed.iter().any(|(of, what)| of == id && what == kit)
    };
    let mut of_customer: BTreeMap<CustomerId, Vec<Holding>> = BTreeMap::new();
    for holding in holdings.into_iter().filter(covers) {
        let customer = holding.license.customer_id.clone();
        of_customer.entry(customer).or_default().push(holding);
    }
    let mut of_person: BTreeMap<PersonId, Vec<Holding>> = BTreeMap::new();
    for (person, customer, _) in memberships {
        let own = of_customer.get(&customer).cloned().unwrap_or_default();
        of_person.entry(person).or_default().extend(own);
    }
    Ok(of_person)
}

impl Subject<'_> {
    /// The best of what a person's licenses say.
    fn best(&self, holdings: &[Holding], granted: &Granted) -> Hearing {
        if !is_out(self.release) {
            return Hearing::Not(Reason::TakenBack);
        }
        let mut best = Hearing::Not(Reason::NotCovered);
        for holding in holdings {
            let own = granted.get(&holding.license.id);
            let found = self.of_license(holding, own.map_or(&[][..], Vec::as_slice));
            if rank(&found) > rank(&best) {
                best = found;
            }
        }
        best
    }

    fn of_license(&self, holding: &Holding, granted: &[ReleaseId]) -> Hearing {
        let side = KitSide {
            kit: &self.kit,
            releases: &self.siblings,
            granted,
        };
        let (facts, license) = (self.release.facts(), rights(holding, side, self.now));
        let Some(stand) = self.stand(holding, &license) else {
            return Hearing::Not(Reason::NotCovered);
        };
        // By the queue of update checks: whoever is told is offered it there too.
        let caller = Caller {
            version: &Version::new(0, 0, 0),
            channel: self.release.channel,
            subject: Some(holding.license.id.as_str()),
            is_manual: false,
            now: self.now,
        };
        if has_come_to(&facts, &caller) {
            Hearing::Told(stand)
        } else {
            Hearing::Not(Reason::NotYet)
        }
    }

    fn stand(&self, holding: &Holding, license: &LicenseFacts) -> Option<Stand> {
        let facts = self.release.facts();
        if listed(&facts, license) {
            return Some(Stand::Open);
        }
        let refusal = downloadable(&facts, license).err()?;
        let locked = self.kind == NoticeKind::Advisory && has_way_out(&refusal);
        locked.then(|| Stand::Locked {
            license: holding.license.id.clone(),
            refusal,
        })
    }
}

/// Whether somebody who may not have a security release can do something about it. Who is suspended
/// or revoked has heard from the vendor already.
fn has_way_out(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::VersionNotCovered
        | Refusal::EntitlementMissing(_)
        | Refusal::License(VerdictCode::Expired) => true,
        Refusal::License(_) | Refusal::NotPublished | Refusal::Withdrawn => false,
    }
}

fn rank(hearing: &Hearing) -> u8 {
    match hearing {
        Hearing::Not(Reason::NotYet) => 1,
        Hearing::Not(_) => 0,
        Hearing::Told(Stand::Locked { .. }) => 2,
        Hearing::Told(Stand::Open) => 3,
    }
}

fn unless_off(
    hearing: Hearing,
    off: &Off,
    person: &PersonId,
    (kit, kind): (&KitId, NoticeKind),
) -> Hearing {
    match hearing {
        Hearing::Told(_) if off.is_off(person, kit, kind) => Hearing::Not(Reason::SwitchedOff),
        hearing => hearing,
    }
}
