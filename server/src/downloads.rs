//! Downloads: covered files for whoever presents a key or a ticket.

pub mod api;
pub mod pages;
