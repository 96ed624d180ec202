//! Why an archive is refused.

/// Why an archive was not listed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Its bytes could not be read.
    #[error("the archive could not be read")]
    Source(#[source] std::io::Error),
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] Fault),
}

/// What is wrong, and with which entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", .entry.as_ref().map(|name| format!("the entry {name:?} ")).unwrap_or_default())]
pub struct Fault {
    /// The entry's name, where it is about one.
    pub entry: Option<String>,
    /// What is wrong.
    pub reason: Reason,
}

impl Fault {
    /// Whether it may be fine at another time.
    pub fn is_about_time(&self) -> bool {
        self.reason == Reason::TooSlow
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self {
            entry: None,
            reason,
        }
    }
}

impl Reason {
    /// The same about an entry; its name is cut, so that no answer grows with it.
    pub(super) fn of(self, name: &[u8]) -> Fault {
        let name = name.get(..name.len().min(200)).unwrap_or_default();
        Fault {
            entry: Some(String::from_utf8_lossy(name).into_owned()),
            reason: self,
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $text:literal;)+) => {
        /// What is wrong with an archive, or an entry of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        pub enum Reason { $($(#[doc = $doc])+ #[error($text)] $variant),+ }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable word for this reason.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
    };
}

reasons! {
    /// The name says archive, the bytes do not.
    NotAnArchive = "not_an_archive", "is no archive of the kind that its name says";
    /// Cut off, or against its format.
    Malformed = "malformed", "is broken, or not in the form of its kind";
    /// Bytes before the first entry, as in a program that unpacks itself.
    Prepended = "prepended", "has bytes before its first entry or before its directory";
    /// Bytes behind the end.
    Trailing = "trailing", "has bytes behind its end";
    /// Bytes between entries.
    Gap = "gap", "has bytes behind it that belong to no entry";
    /// Two entries share bytes.
    Overlap = "overlap", "shares bytes with another entry";
    /// Directory and local header differ.
    HeadersDisagree = "headers_disagree", "is described differently in two places";
    /// The name is absolute.
    AbsoluteName = "absolute_name", "has an absolute name";
    /// The name leaves its folder.
    ParentName = "parent_name", "has \"..\" in its name";
    /// The name starts with a drive, or names a stream of a file.
    Drive = "drive", "has a colon in its name";
    /// The name has a backslash.
    Backslash = "backslash", "has a backslash in its name";
    /// The name has a character that hides or that some system refuses.
    Character = "character", "has a control character, a direction mark or any of <>\"|?* in its name";
    /// The name is not UTF-8.
    NameEncoding = "name_encoding", "has a name that is not UTF-8";
    /// The name, or a part of it, is empty or too long.
    NameLength = "name_length", "has a name, or a part of one, that is empty or too long";
    /// A part of the name ends in a dot or a space.
    NameEnd = "name_end", "has a part of its name that ends in a dot or a space";
    /// Too many folders.
    Depth = "depth", "lies too deep in folders";
    /// A device of Windows.
    DeviceName = "device_name", "has the name of a device on Windows";
    /// The name is there already.
    Duplicate = "duplicate", "has a name that is there already";
    /// The name is another's on some systems.
    Twin = "twin", "has a name that is another entry's where case or composition do not count";
    /// A file stands where a folder must be.
    FileAsFolder = "file_as_folder", "lies in something that is no folder, or is a folder that is also a file";
    /// A symbolic link leads out.
    LinkEscapes = "link_escapes", "is a link out of the archive's folder, or by a way that may lead there";
    /// A hard link to what is not there.
    HardLink = "hard_link", "is a hard link to what is no earlier file of the archive";
    /// A device, a pipe, a socket.
    SpecialFile = "special_file", "is neither file, folder nor link";
    /// A file with holes.
    Sparse = "sparse", "is a sparse file";
    /// Headers before an entry that contradict or are too large.
    ExtendedHeader = "extended_header", "has extended headers that are too large, twice, or change its size";
    /// Encrypted.
    Encrypted = "encrypted", "is encrypted";
    /// Neither stored nor deflated.
    Method = "method", "is compressed otherwise than by deflate";
    /// The data has another size than announced.
    Size = "size", "has another size than announced";
    /// The data has another checksum.
    Checksum = "checksum", "has another checksum than announced";
    /// Grows without measure when unpacked.
    Ratio = "ratio", "grows beyond measure when it is unpacked";
    /// More entries than allowed.
    TooManyEntries = "too_many_entries", "has too many entries";
    /// More bytes than allowed.
    TooLarge = "too_large", "has too many bytes when it is unpacked";
    /// Takes too long.
    TooSlow = "too_slow", "takes too long to look into";
}
