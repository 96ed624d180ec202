//! The one-line answer to what was just done, shown above the page.

use crate::links;

/// What a [`Flash`] says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashKind {
    /// It was done.
    Done,
    /// Nothing went wrong, but this should be known.
    Notice,
    /// It was not done.
    Failed,
}

impl FlashKind {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Done => "ok",
            Self::Notice => "info",
            Self::Failed => "danger",
        }
    }

    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Done => "check",
            Self::Notice => "note",
            Self::Failed => "alert",
        }
    }
}

/// One message above the page.
#[derive(Debug, Clone)]
pub struct Flash {
    /// What kind of message.
    pub kind: FlashKind,
    /// One sentence.
    pub text: String,
    /// How to take back what was done, where that is possible.
    pub undo: Option<UndoAction>,
}

/// A button that takes back what was just done.
#[derive(Debug, Clone)]
pub struct UndoAction {
    /// Path to POST to; anything but a path of this site is left out.
    pub action: String,
    /// Words on the button, such as "Undo".
    pub label: String,
}

impl UndoAction {
    pub(crate) fn path(&self) -> Option<&str> {
        links::local_path(&self.action)
    }
}
