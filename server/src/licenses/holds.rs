//! Suspending, revoking and reinstating: reasons are opened and closed one by one, and none closes
//! another.

use super::change::{self, Change, ChangeError, fault};
use super::model::{HoldId, HoldKind, HoldReason, LicenseId};
use super::note::{self, NewNote};
use super::store::{self, Hold};
use crate::app::App;
use crate::db::{DbError, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits::model::is_visible;
use crate::kits::texts::Fault;

/// Longest cause, in characters.
const CAUSE_MAX: usize = 200;

/// A reason that shall be open.
#[derive(Debug, Clone)]
pub struct NewHold {
    id: HoldId,
    reason: HoldReason,
    cause: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is open now.
    Now,
    /// It was open already.
    Before,
    /// It was open once and somebody closed it; it stays closed.
    Closed,
}

impl NewHold {
    /// Checks the cause; without one, the row's own id is it.
    pub fn new(app: &App, reason: HoldReason, cause: Option<&str>) -> Result<Self, Fault> {
        let id = HoldId::new(app.clock.now(), app.entropy.as_ref());
        let cause = cause.map_or_else(|| id.to_string(), |cause| cause.trim().to_owned());
        if cause.chars().count() > CAUSE_MAX || !is_visible(&cause) {
            return Err(Fault {
                field: "cause",
                reason: "must have 1 to 200 visible characters",
            });
        }
        Ok(Self { id, reason, cause })
    }
}

/// Opens a reason. The same reason and cause are one row for ever, so that telling of it again
/// changes nothing; `again` opens one that was closed.
pub fn open_reason_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    new: &NewHold,
    again: bool,
) -> Result<Opened, ChangeError> {
    change::open_in(tx, of)?;
    let known = store::find_hold(tx.conn(), &of.license, new.reason, &new.cause)?;
    match known {
        Some(hold) if hold.closed_at.is_none() => return Ok(Opened::Before),
        Some(_) if !again => return Ok(Opened::Closed),
        Some(hold) => store::reopen_hold(tx, &hold.id, of.now)?,
        None => store::insert_hold(tx, &row(of, new))?,
    }
    let action = match new.reason.kind() {
        HoldKind::Hold => "license.suspended",
        HoldKind::Revocation => "license.revoked",
    };
    tx.audit(of.entry(action, &["holds"]));
    Ok(Opened::Now)
}

fn row(of: &Change, new: &NewHold) -> Hold {
    Hold {
        id: new.id.clone(),
        license_id: of.license.clone(),
        kind: new.reason.kind(),
        reason: new.reason,
        cause: new.cause.clone(),
        opened_at: of.now,
        closed_at: None,
    }
}

/// Suspends or revokes, as the reason says.
pub async fn open_reason(
    app: &App,
    of: Change,
    new: NewHold,
    note: Option<NewNote>,
    claim: Claim,
) -> Result<Once<LicenseId>, ChangeError> {
    change::run(app, claim, of, move |tx, of| {
        open_reason_in(tx, of, &new, true)?;
        if let Some(note) = &note {
            note::write_in(tx, of, note)?;
        }
        Ok(())
    })
    .await
}

/// Which open reason to close.
#[derive(Debug, Clone)]
pub enum Which {
    /// This row.
    Id(HoldId),
    /// The one that is open for this reason, and this cause where one is given.
    Reason(HoldReason, Option<String>),
}

impl Which {
    fn is(&self, hold: &Hold) -> bool {
        match self {
            Self::Id(id) => hold.id == *id,
            Self::Reason(reason, cause) => {
                let same_cause = cause.as_ref().is_none_or(|cause| hold.cause == *cause);
                hold.reason == *reason && same_cause
            }
        }
    }
}

/// With what right staff close a reason.
#[derive(Debug, Clone)]
pub struct Closing {
    /// Whether they may close any, and not only what was opened by hand.
    pub any: bool,
    /// Why.
    pub note: Option<NewNote>,
}

impl Closing {
    /// What is closed stays closed when its event is told again, so that closing it takes more.
    fn may(&self, reason: HoldReason) -> Result<(), ChangeError> {
        if reason == HoldReason::Manual {
            return Ok(());
        }
        if !self.any {
            let sentence = "Closing this reason needs a token with the scope admin.";
            return Err(ChangeError::Forbidden(sentence));
        }
        if self.note.is_none() {
            return Err(fault(
                "note",
                "must say why, where the reason is not manual",
            ));
        }
        Ok(())
    }
}

/// Closes one open hold or revocation.
pub async fn reinstate(
    app: &App,
    of: Change,
    which: Which,
    closing: Closing,
    claim: Claim,
) -> Result<Once<LicenseId>, ChangeError> {
    change::run(app, claim, of, move |tx, of| {
        let hold = find_open_in(tx, of, &which)?;
        closing.may(hold.reason)?;
        close_in(tx, of, &hold)?;
        if let Some(note) = &closing.note {
            note::write_in(tx, of, note)?;
        }
        Ok(())
    })
    .await
}

/// The same inside another unit of work, for what needs nobody's leave, such as an event that takes
/// back another one.
pub fn close_reason_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    which: &Which,
) -> Result<(), ChangeError> {
    let hold = find_open_in(tx, of, which)?;
    close_in(tx, of, &hold)?;
    Ok(())
}

/// Locks the license; the one open reason that is meant, if it can be closed at all.
fn find_open_in(tx: &mut WriteTx<'_>, of: &Change, which: &Which) -> Result<Hold, ChangeError> {
    change::open_in(tx, of)?;
    let all = store::holds_of(tx.conn(), &of.license)?;
    let mut open = all
        .into_iter()
        .filter(|hold| hold.closed_at.is_none() && which.is(hold));
    let none = || {
        fault(
            "hold",
            "must name an open hold or revocation of this license",
        )
    };
    let hold = open.next().ok_or_else(none)?;
    if open.next().is_some() {
        let several = "Several are open for this reason. Name one of them by its id.";
        return Err(ChangeError::Refused(several));
    }
    if hold.reason == HoldReason::Erased {
        let gone = "Its customer was erased. That cannot be undone.";
        return Err(ChangeError::Refused(gone));
    }
    Ok(hold)
}

fn close_in(tx: &mut WriteTx<'_>, of: &Change, hold: &Hold) -> Result<(), DbError> {
    store::close_hold(tx, &hold.id, of.now)?;
    tx.audit(of.entry("license.reinstated", &["holds"]));
    Ok(())
}
