//! How much an archive may ask for.

use super::fault::Reason;

/// Bounds of one archive.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Most entries.
    pub entries: u64,
    /// Most bytes of all entries, unpacked.
    pub bytes: u64,
    /// How many times its packed size an entry, or all of them, may have, unpacked.
    pub ratio: u64,
    /// The size from which the ratio counts: small files of blanks are no bombs.
    pub ratio_from: u64,
    /// The same for archives within the archive: one that shrinks this well holds a bomb.
    pub nested_ratio: u64,
    /// Most bytes of all names together, and of a zip's directory.
    pub names: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            entries: 100_000,
            bytes: 16 << 30,
            ratio: 200,
            ratio_from: 4 << 20,
            nested_ratio: 10,
            names: 32 << 20,
        }
    }
}

/// Counts what an archive asks for.
pub(super) struct Meter<'a> {
    pub(super) bounds: &'a Bounds,
    may_go_on: &'a dyn Fn() -> bool,
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(bounds: &'a Bounds, may_go_on: &'a dyn Fn() -> bool) -> Self {
        Self {
            bounds,
            may_go_on,
            entries: 0,
            bytes: 0,
        }
    }

    /// One more entry.
    pub(super) fn entry(&mut self) -> Result<(), Reason> {
        self.entries += 1;
        if self.entries > self.bounds.entries {
            return Err(Reason::TooManyEntries);
        }
        if self.entries.is_multiple_of(1024) {
            self.time()?;
        }
        Ok(())
    }

    /// More bytes came out.
    pub(super) fn unpacked(&mut self, bytes: u64) -> Result<(), Reason> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.bounds.bytes {
            return Err(Reason::TooLarge);
        }
        self.time()
    }

    pub(super) fn time(&self) -> Result<(), Reason> {
        if (self.may_go_on)() {
            Ok(())
        } else {
            Err(Reason::TooSlow)
        }
    }

    /// Whether so many bytes may come out of so few.
    pub(super) fn ratio(&self, unpacked: u64, packed: u64) -> Result<(), Reason> {
        let most = packed.max(1).saturating_mul(self.bounds.ratio);
        if unpacked > self.bounds.ratio_from && unpacked > most {
            return Err(Reason::Ratio);
        }
        Ok(())
    }

    /// The same for what is an archive by its name.
    pub(super) fn nested(&self, name: &str, unpacked: u64, packed: u64) -> Result<(), Reason> {
        const ENDINGS: [&str; 9] = [
            ".zip", ".jar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar",
        ];
        let name = name.to_ascii_lowercase();
        let is_packed = ENDINGS.iter().any(|ending| name.ends_with(ending));
        let most = packed.max(1).saturating_mul(self.bounds.nested_ratio);
        if is_packed && unpacked > 16 << 10 && unpacked > most {
            return Err(Reason::Ratio);
        }
        Ok(())
    }
}
