//! People, pending sign-ins, sessions.

use crate::db::types::typed_id;

typed_id!(
    /// Someone who signs in.
    PersonId, "per"
);
typed_id!(
    /// A pending sign-in.
    SignInId, "sig"
);
