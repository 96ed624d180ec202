//! The license keys of an installation, in the order of their numbers.

use std::path::Path;

use crate::Outcome;

/// License keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keys(Vec<String>);

impl Keys {
    pub(crate) fn new(keys: Vec<String>) -> Self {
        Self(keys)
    }

    /// Any of them, with its number.
    pub(crate) fn pick(&self, random: u64) -> (usize, &str) {
        let count = self.0.len().max(1) as u64;
        let number = usize::try_from(random % count).unwrap_or(0);
        (number, self.0.get(number).map_or("", String::as_str))
    }

    /// Reads what [`Keys::write`] wrote.
    pub(crate) fn read(file: &Path) -> Outcome<Self> {
        let text = std::fs::read_to_string(file)?;
        Ok(Self(text.lines().map(str::to_owned).collect()))
    }

    /// Keeps them beside the installation they belong to.
    pub(crate) fn write(&self, file: &Path) -> Outcome<()> {
        Ok(std::fs::write(file, self.0.join("\n"))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_numbers() {
        let keys = Keys::new(vec!["kwl_a".to_owned(), "kwl_b".to_owned()]);
        assert_eq!(keys.pick(5), (1, "kwl_b"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        keys.write(&file).unwrap();
        assert_eq!(Keys::read(&file).unwrap(), keys);
    }
}
