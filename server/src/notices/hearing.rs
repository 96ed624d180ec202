//! Who hears of a release now, and how it stands for them. The walk asks, and once more the mail.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::model::{NoticeKind, Reason};
use super::store;
use crate::clock::Timestamp;
use crate::customers::model::{Action, CustomerId, Role, may};
use crate::db::{AnyConn, DbError};
use crate::downloads::authorize::Renewal;
use crate::kits;
use crate::kits::model::{KitId, PolicyId, Scope};
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
        /// What stands in the way.
        refusal: Refusal,
        /// Where that is changed.
        renewal: Renewal,
    },
}

/// Whether somebody hears of a release.
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
    renew_urls: RenewUrls,
    now: Timestamp,
}

/// How a release stands for each of these people.
pub fn hearings(
    conn: &mut AnyConn,
    (release, kind): (&Release, NoticeKind),
    people: &[PersonId],
    now: Timestamp,
) -> Result<Vec<(PersonId, Hearing)>, DbError> {
    let mut memberships = store::memberships_of_all(conn, people)?;
    memberships.retain(|(_, _, role)| may(*role, Action::Download));
    let mut customers: Vec<CustomerId> = memberships.iter().map(|it| it.1.clone()).collect();
    customers.sort();
    customers.dedup();
    let held = Held::read(conn, release, kind, &customers, now)?;
    let Some((subject, held)) = held else {
        return Ok(Vec::new());
    };
    let off = store::choices_of(conn, people)?;
    let told = store::buyers_told(conn, &release.id, &customers)?;
    let one = |person: &PersonId| {
        let own = memberships.iter().filter(|(who, _, _)| who == person);
        // Whoever signed in first for a buyer had the buyer's mail.
        let mut owned = own.clone().filter(|(_, _, role)| *role == Role::Owner);
        if owned.any(|(_, customer, _)| told.contains(customer)) {
            return (person.clone(), Hearing::Not(Reason::ToldBefore));
        }
        let hearing = subject.best(own.flat_map(|(_, customer, _)| held.of(customer)), &held);
        let is_off = off.is_off(person, &release.kit_id, kind);
        (person.clone(), unless_off(hearing, is_off))
    };
    Ok(people.iter().map(one).collect())
}

/// How a security release stands for each of these buyers who never signed in.
pub fn buyer_hearings(
    conn: &mut AnyConn,
    release: &Release,
    buyers: &[CustomerId],
    now: Timestamp,
) -> Result<Vec<(CustomerId, Hearing)>, DbError> {
    let held = Held::read(conn, release, NoticeKind::Advisory, buyers, now)?;
    let Some((subject, held)) = held else {
        return Ok(Vec::new());
    };
    let off = store::buyers_off(conn, &release.kit_id, buyers)?;
    let one = |buyer: &CustomerId| {
        let hearing = subject.best(held.of(buyer).iter(), &held);
        (buyer.clone(), unless_off(hearing, off.contains(buyer)))
    };
    Ok(buyers.iter().map(one).collect())
}

/// What customers hold for a kit.
struct Held {
    of_customer: BTreeMap<CustomerId, Vec<Holding>>,
    granted: BTreeMap<LicenseId, Vec<ReleaseId>>,
}

impl Held {
    /// Nothing where the kit is gone.
    fn read<'a>(
        conn: &mut AnyConn,
        release: &'a Release,
        kind: NoticeKind,
        customers: &[CustomerId],
        now: Timestamp,
    ) -> Result<Option<(Subject<'a>, Self)>, DbError> {
        let Some(kit) = kits::store::find_kit(conn, &release.kit_id)? else {
            return Ok(None);
        };
        let holdings = covering(conn, &kit.id, customers)?;
        let subject = Subject {
            release,
            kind,
            siblings: published(conn, std::slice::from_ref(&kit.id))?,
            renew_urls: renew_urls(conn, kind, &holdings)?,
            kit,
            now,
        };
        let ids: Vec<LicenseId> = holdings.iter().map(|it| it.license.id.clone()).collect();
        let mut held = Self {
            of_customer: BTreeMap::new(),
            granted: BTreeMap::new(),
        };
        for (license, release) in grants_of_licenses(conn, &ids)? {
            held.granted.entry(license).or_default().push(release);
        }
        for holding in holdings {
            let customer = holding.license.customer_id.clone();
            held.of_customer.entry(customer).or_default().push(holding);
        }
        Ok(Some((subject, held)))
    }

    fn of(&self, customer: &CustomerId) -> &[Holding] {
        self.of_customer.get(customer).map_or(&[], Vec::as_slice)
    }

    fn granted_to(&self, license: &LicenseId) -> &[ReleaseId] {
        self.granted.get(license).map_or(&[], Vec::as_slice)
    }
}

/// Licenses of customers for a kit.
fn covering(
    conn: &mut AnyConn,
    kit: &KitId,
    customers: &[CustomerId],
) -> Result<Vec<Holding>, DbError> {
    let mut holdings = licenses::store::of_customers(conn, customers)?;
    let listed = licenses::store::kits_of_all(conn, &holdings)?;
    holdings.retain(|holding| {
        let id = &holding.license.id;
        holding.terms.scope == Scope::All || listed.iter().any(|(of, what)| of == id && what == kit)
    });
    Ok(holdings)
}

/// Where licenses of policies are renewed, where that is elsewhere.
type RenewUrls = BTreeMap<PolicyId, String>;

/// New versions are told to nobody who would have to renew first.
fn renew_urls(
    conn: &mut AnyConn,
    kind: NoticeKind,
    holdings: &[Holding],
) -> Result<RenewUrls, DbError> {
    let mut urls = RenewUrls::new();
    if kind != NoticeKind::Advisory {
        return Ok(urls);
    }
    let policies: BTreeSet<&PolicyId> = holdings.iter().map(|it| &it.license.policy_id).collect();
    for policy in policies {
        if let Some(url) = kits::store::renew_url_of(conn, policy)? {
            urls.insert(policy.clone(), url);
        }
    }
    Ok(urls)
}

impl Subject<'_> {
    /// The best of what some licenses say.
    fn best<'h>(&self, holdings: impl Iterator<Item = &'h Holding>, held: &Held) -> Hearing {
        if !is_out(self.release) {
            return Hearing::Not(Reason::TakenBack);
        }
        let mut best = Hearing::Not(Reason::NotCovered);
        for holding in holdings {
            let found = self.of_license(holding, held.granted_to(&holding.license.id));
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
            renewal: self.renewal(holding, &refusal),
            refusal,
        })
    }

    /// Where the policy says; but another feature is no matter of time.
    fn renewal(&self, holding: &Holding, refusal: &Refusal) -> Renewal {
        let elsewhere = self.renew_urls.get(&holding.license.policy_id);
        match (refusal, elsewhere) {
            (Refusal::VersionNotCovered | Refusal::License(_), Some(url)) => {
                Renewal::Elsewhere(url.clone())
            }
            _ => Renewal::OwnPage(holding.license.id.clone()),
        }
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

fn unless_off(hearing: Hearing, is_off: bool) -> Hearing {
    match hearing {
        Hearing::Told(_) if is_off => Hearing::Not(Reason::SwitchedOff),
        hearing => hearing,
    }
}
