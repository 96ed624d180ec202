//! A mail server on loopback that delivers to nobody and keeps everything.
//!
//! [`Inbox`] speaks real SMTP, so what is tested is the client's own transport: its errors, its
//! time limits, its encoding. [`Behavior`] chooses what goes wrong. [`Inbox::serve_web`] shows
//! the mails in a browser.

mod behavior;
mod dialog;
mod lines;
mod mail;
mod pages;
mod server;
mod web;

pub use behavior::Behavior;
pub use mail::Mail;
pub use server::Inbox;
