//! Who is signed in, and signing out.

use secrecy::{ExposeSecret, SecretString};

use super::model::{PersonId, is_secret};
use super::secrets::session_digest;
use super::store;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::customers::model::{CustomerId, Role};
use crate::customers::store::memberships_of;
use crate::db::{DbError, Shard};

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Who.
    pub person: PersonId,
    /// The address shown on pages.
    pub email: String,
    /// The customers this person belongs to.
    pub memberships: Vec<(CustomerId, Role)>,
}

impl Viewer {
    /// The role in a customer; `None` for the customers of others.
    pub fn role_in(&self, customer: &CustomerId) -> Option<Role> {
        let mut all = self.memberships.iter();
        all.find(|(id, _)| id == customer).map(|(_, role)| *role)
    }

    /// The customers this person belongs to.
    pub fn customers(&self) -> Vec<CustomerId> {
        self.memberships.iter().map(|(id, _)| id.clone()).collect()
    }

    /// This person, for the audit log.
    pub fn actor(&self) -> Actor {
        Actor::Person(self.person.to_string())
    }
}

/// Who holds a session. The database is asked each time, so that an ended session is refused at
/// once, by every process.
pub async fn viewer(app: &App, session: &SecretString) -> Result<Option<Viewer>, DbError> {
    if !is_secret(session.expose_secret()) {
        return Ok(None);
    }
    let digest = session_digest(app, session);
    let now = app.clock.now();
    app.db
        .read_snapshot(move |conn| {
            let Some(person) = store::person_of_session(conn, &digest, now)? else {
                return Ok(None);
            };
            let email = store::address_of(conn, &person)?.unwrap_or_default();
            let memberships = memberships_of(conn, &person)?;
            Ok(Some(Viewer {
                person,
                email,
                memberships,
            }))
        })
        .await
}

/// Ends a session, everywhere and at once.
pub async fn sign_out(app: &App, session: &SecretString) -> Result<(), DbError> {
    if !is_secret(session.expose_secret()) {
        return Ok(());
    }
    let digest = session_digest(app, session);
    let now = app.clock.now();
    app.db
        .write(Shard::of(&digest), move |tx| {
            let Some(person) = store::person_of_session(tx.conn(), &digest, now)? else {
                return Ok(());
            };
            store::end_session(tx, &digest, now)?;
            let actor = Actor::Person(person.to_string());
            tx.audit(Entry::new(now, actor, "person.signed_out", &person, &[]));
            Ok(())
        })
        .await
}
