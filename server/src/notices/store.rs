//! Queries on the tables of notices.

mod buyers;
mod choices;
mod fates;
mod mails;
mod people;
mod walks;

pub use buyers::{
    buyer_heard, buyer_not_told, buyer_waits, buyers_address, buyers_after, buyers_off,
    buyers_told, enter_buyer, lock_unclaimed, set_buyer_off,
};
pub use choices::{Off, choices_of, set_choice, set_silence, take_over_choices};
pub use fates::{Fate, settle};
pub use mails::{
    Counts, Waiting, add_mail, close_mail, counts, enter, forget_failed, open_mail, put_into,
    skip_waiting, take_pace, waiting_in,
};
pub use people::{Membership, memberships_of_all, owners_of, people_after};
pub use walks::{Walk, advance, again, begin, call_off, find_walk};
