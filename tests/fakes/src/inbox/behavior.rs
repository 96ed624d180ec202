//! What can go wrong.

use std::time::Duration;

/// How the inbox treats its clients. It applies from the next command on, also to connections
/// that are already open; [`Behavior::HangAtBanner`] applies to new connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Behavior {
    /// Takes every mail.
    #[default]
    Accept,
    /// Answers `MAIL FROM` with this code, such as 451 (later) or 550 (never).
    Refuse(u16),
    /// Answers `RCPT TO` with this code.
    RefuseRecipient(u16),
    /// Accepts the connection and never says a word.
    HangAtBanner,
    /// Keeps the message, then closes without the final reply: the client cannot know.
    DropAfterData,
    /// Keeps the message and never says so.
    HangAfterData,
    /// Closes when the client wants to send the message.
    CloseBeforeData,
    /// Waits this long before each reply.
    Slow(Duration),
}
