//! The database schema of Kitward as a list of changes, and the runner that applies them.
//!
//! Each folder under `sql/` is one change: `up.sql` in the subset that SQLite and PostgreSQL share,
//! or `up.sqlite.sql` + `up.postgres.sql` where they must differ. Changes are never edited after a
//! release, only added. An older binary must work with a newer schema for one version: a change
//! that breaks it names the oldest binary that still fits in [`Migration::min_binary`].

mod runner;

pub use runner::{MigrateError, postgres, sqlite};

/// One change of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Folder name; the order of names is the order of changes.
    pub version: &'static str,
    /// Oldest binary (semver) that works with the schema after this change.
    pub min_binary: &'static str,
    /// What SQLite runs.
    pub sqlite: &'static str,
    /// What PostgreSQL runs.
    pub postgres: &'static str,
}

macro_rules! shared {
    ($version:literal, $min_binary:literal) => {
        Migration {
            version: $version,
            min_binary: $min_binary,
            sqlite: include_str!(concat!("../sql/", $version, "/up.sql")),
            postgres: include_str!(concat!("../sql/", $version, "/up.sql")),
        }
    };
}

/// Where the two databases must differ.
macro_rules! per_database {
    ($version:literal, $min_binary:literal) => {
        Migration {
            version: $version,
            min_binary: $min_binary,
            sqlite: include_str!(concat!("../sql/", $version, "/up.sqlite.sql")),
            postgres: include_str!(concat!("../sql/", $version, "/up.postgres.sql")),
        }
    };
}

/// All changes, oldest first.
pub const ALL: &[Migration] = &[
    shared!("2026-11-20-01_installation", "0.1.0"),
    shared!("2026-11-20-02_catalog", "0.1.0"),
    shared!("2026-11-20-03_customers", "0.1.0"),
    shared!("2026-11-20-04_licenses", "0.1.0"),
    shared!("2026-11-20-05_releases", "0.1.0"),
    shared!("2026-11-20-06_payments_and_outbox", "0.1.0"),
    shared!("2026-11-20-07_expiry_indexes", "0.1.0"),
    shared!("2026-11-20-08_terms", "0.1.0"),
    shared!("2026-11-20-09_key_ring", "0.1.0"),
    per_database!("2026-11-20-10_audit", "0.1.0"),
    shared!("2026-11-20-11_idempotency", "0.1.0"),
    per_database!("2026-11-20-12_licenses_under_terms", "0.1.0"),
    shared!("2026-11-20-13_seats", "0.1.0"),
    shared!("2026-11-20-14_license_verbs", "0.1.0"),
    shared!("2026-11-20-15_derived_tokens", "0.1.0"),
    shared!("2026-11-28-16_releases_in_full", "0.1.0"),
    shared!("2026-11-28-17_deliveries", "0.1.0"),
    shared!("2026-11-28-18_uploads", "0.1.0"),
    shared!("2026-11-28-19_signatures_and_stamps", "0.1.0"),
    shared!("2026-11-28-20_comparisons", "0.1.0"),
    per_database!("2026-11-28-21_notices", "0.1.0"),
    per_database!("2026-11-28-22_catalogs", "0.1.0"),
    shared!("2026-11-28-23_forgotten_networks", "0.1.0"),
    per_database!("2026-11-28-24_releases_rest", "0.1.0"),
    per_database!("2026-11-28-25_audit_append", "0.1.0"),
    shared!("2026-11-29-26_deliveries_of_a_day", "0.1.0"),
    shared!("2026-11-29-27_lookups", "0.1.0"),
    shared!("2026-11-29-28_packed_files", "0.1.0"),
    shared!("2026-11-29-29_license_owners", "0.1.0"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_and_every_folder_is_listed() {
        assert!(ALL.windows(2).all(|pair| pair[0].version < pair[1].version));
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/sql");
        let mut folders: Vec<String> = std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        folders.sort();
        assert_eq!(folders, ALL.iter().map(|m| m.version).collect::<Vec<_>>());
    }
}
