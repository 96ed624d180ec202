//! Queries on the tables of notices.

mod choices;
mod mails;
mod people;
mod walks;

pub use choices::{Off, choices_of, set_choice, set_silence};
pub use mails::{
    Counts, Waiting, add_mail, close_mail, counts, enter, open_mail, put_into, settle,
    skip_waiting, take_pace, waiting_in,
};
pub use people::{Membership, memberships_of_all, people_after};
pub use walks::{Walk, advance, again, begin, call_off, find_walk};
