//! The trusted comment: what was signed, in words that the signature covers.

use crate::error::{MinisignError, SignError};

/// What a file is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileComment<'a> {
    /// When it was signed, in Unix seconds.
    pub timestamp: i64,
    /// The file's name.
    pub file: &'a str,
    /// The release's version.
    pub version: &'a str,
    /// The kit's slug.
    pub kit: &'a str,
    /// The release's channel.
    pub channel: &'a str,
}

impl FileComment<'_> {
    /// The comment, as it is signed.
    pub(super) fn text(&self) -> Result<String, SignError> {
        let words = [self.file, self.version, self.kit, self.channel];
        if words.iter().any(|word| word.contains(char::is_control)) {
            return Err(SignError::InvalidClaims {
                reason: "a control character in the trusted comment".to_owned(),
            });
        }
        Ok(format!(
            "timestamp:{}\tfile:{}\tversion:{}\tkit:{}\tchannel:{}",
            self.timestamp, self.file, self.version, self.kit, self.channel
        ))
    }

    /// Whether a verified comment names this file and this version, and no other kit or channel.
    ///
    /// # Errors
    ///
    /// [`MinisignError::OtherFile`] with the field that is missing, differs, or stands twice.
    pub fn check(&self, comment: &str) -> Result<(), MinisignError> {
        let fields = [
            ("file", self.file, true),
            ("version", self.version, true),
            ("kit", self.kit, false),
            ("channel", self.channel, false),
        ];
        for (name, wanted, required) in fields {
            let mut values = values(comment, name);
            let fits = match values.next() {
                Some(value) => value == wanted && values.next().is_none(),
                None => !required,
            };
            if !fits {
                return Err(MinisignError::OtherFile { field: name });
            }
        }
        Ok(())
    }
}

/// The value of a field of a trusted comment; none where it is missing or stands twice.
pub fn comment_field<'a>(comment: &'a str, name: &str) -> Option<&'a str> {
    let mut values = values(comment, name);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

fn values<'a>(comment: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    comment
        .split('\t')
        .filter_map(move |field| field.strip_prefix(name)?.strip_prefix(':'))
}
