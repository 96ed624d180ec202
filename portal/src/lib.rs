//! What people see of Kitward: the customer portal's pages and the mails.
//!
//! Values in, HTML or mail out. Nothing here knows HTTP, a database or the time of day: a page is a
//! struct with plain fields, [`pages`] says which, and its `render` gives the whole document.
//! [`assets()`] lists the style sheet, the script and the icon to be served beside them.
//!
//! Every page works without JavaScript and under
//! `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;
//! connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`.

pub mod assets;
mod dates;
mod flash;
mod frame;
mod links;
pub mod mail;
mod notes;
pub mod pages;
mod seats;
mod status;
mod wording;

pub use assets::{Asset, assets, find_asset};
pub use flash::{Flash, FlashKind, UndoAction};
pub use frame::{Frame, NavItem, Theme};
pub use notes::Notes;
pub use seats::{SeatKind, Seats};
pub use status::Status;
