//! Addresses of databases, and how a connection is opened and prepared.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use secrecy::{ExposeSecret, SecretString};

use super::{AnyConn, OpenError};

/// Where the database is. The scheme chooses the kind; anything unknown is refused, because SQLite
/// would happily create a file called `postgers:…`.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// `sqlite:path/to/file`
    Sqlite(PathBuf),
    /// `postgres://…` or `postgresql://…`; may hold a password.
    Postgres(SecretString),
}

/// Why a database address is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UrlError {
    /// Neither `sqlite:` nor `postgres://`.
    #[error("the scheme must be sqlite: or postgres://")]
    Scheme,
    /// `sqlite:` without a path.
    #[error("sqlite: needs a path")]
    EmptyPath,
    /// Not a URL that libpq would read as we do.
    #[error(
        "must look like postgres://user:password@host:5432/database?name=value, with special \
         characters percent-encoded"
    )]
    Malformed,
    /// The address asks for TLS, which the bundled libpq does not have.
    #[error("sslmode={0} needs a build with the feature postgres-tls; this build has none")]
    TlsNotBuiltIn(String),
}

impl DatabaseUrl {
    /// Reads an address from the configuration.
    pub fn parse(url: &SecretString) -> Result<Self, UrlError> {
        let text = url.expose_secret();
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(UrlError::EmptyPath)
            } else {
                Ok(Self::Sqlite(PathBuf::from(path)))
            };
        }
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err(UrlError::Scheme);
        }
        if !is_plain(text) {
            return Err(UrlError::Malformed);
        }
        let query = text.split_once('?').map_or("", |(_, query)| query);
        let mode = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("sslmode="));
        match mode {
            Some(mode @ ("require" | "verify-ca" | "verify-full"))
                if !cfg!(feature = "postgres-tls") =>
            {
                Err(UrlError::TlsNotBuiltIn(mode.to_owned()))
            }
            _ => Ok(Self::Postgres(url.clone())),
        }
    }

    /// Whether this is the embedded database.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    pub(super) fn connect(&self, access: Access) -> Result<AnyConn, diesel::ConnectionError> {
        match self {
            Self::Sqlite(path) => connect_sqlite(path, access).map(AnyConn::Sqlite),
            Self::Postgres(url) => connect_postgres(url, access).map(AnyConn::Pg),
        }
    }
}

/// Whether libpq will read this address to its end: what it stumbles over it repeats in its error,
/// and that may be the password.
fn is_plain(url: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    let percent_encoded = url.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().first_chunk::<2>();
        digits.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit) && pair != b"00")
    });
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    // An unescaped @ or ? of a password moves the rest of it into the host or the query.
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let named = |pair: &str| {
        pair.split_once('=').is_some_and(|(name, value)| {
            let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
            !name.is_empty() && name.chars().all(is_name) && !value.contains('=')
        })
    };
    !url.contains(odd)
        && percent_encoded
        && authority.matches('@').count() <= 1
        && (query.is_empty() || query.split('&').all(named))
        && url::Url::parse(url).is_ok()
}

/// What a connection will be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    /// Waits for other processes' migrations, and takes the time it needs.
    Migrate,
}

fn prepare(
    conn: &mut impl SimpleConnection,
    statements: &str,
) -> Result<(), diesel::ConnectionError> {
    conn.batch_execute(statements)
        .map_err(diesel::ConnectionError::CouldntSetupConfiguration)
}

/// How long a new file may be busy with another process's first start: switching to WAL answers
/// "locked" at once, whatever `busy_timeout` says.
const FIRST_START: Duration = Duration::from_secs(5);

fn connect_sqlite(
    path: &std::path::Path,
    access: Access,
) -> Result<SqliteConnection, diesel::ConnectionError> {
    let end = Instant::now() + FIRST_START;
    loop {
        match open_sqlite(path, access) {
            Err(error) if error.to_string().contains("locked") && Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}

/// Bytes of the database's file that readers map: the most that SQLite takes.
const MAPPED: u32 = 0x7fff_0000;

fn open_sqlite(
    path: &std::path::Path,
    access: Access,
) -> Result<SqliteConnection, diesel::ConnectionError> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    prepare(
        &mut conn,
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192;",
    )?;
    if access == Access::Write {
        // Each taken seat changes pages all over the file: read anew from the kernel, they cost more
        // than the change.
        prepare(&mut conn, "PRAGMA cache_size = -32768;")?;
    }
    if access == Access::Read {
        // Pages come from the kernel's memory, which all readers share, instead of being copied
        // into the cache of each.
        let statements = format!("PRAGMA query_only = ON; PRAGMA mmap_size = {MAPPED};");
        prepare(&mut conn, &statements)?;
    }
    Ok(conn)
}

/// A silent network cut must not hold a thread for the kernel's patience.
const DEFAULTS: [(&str, &str); 3] = [
    ("connect_timeout", "3"),
    ("keepalives_idle", "10"),
    ("tcp_user_timeout", "10000"),
];

fn connect_postgres(
    url: &SecretString,
    access: Access,
) -> Result<PgConnection, diesel::ConnectionError> {
    let mut url = zeroize::Zeroizing::new(url.expose_secret().to_owned());
    for (name, value) in DEFAULTS {
        if !url.contains(name) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url.push(separator);
            url.extend([name, "=", value]);
        }
    }
    let mut conn = PgConnection::establish(&url)?;
    prepare(&mut conn, "SET TIME ZONE 'UTC';")?;
    let settings = match access {
        Access::Read => "SET statement_timeout = '30s'; SET default_transaction_read_only = on;",
        // A writer waits for a row as briefly as the jobs behind it can bear.
        Access::Write => {
            "SET statement_timeout = '30s'; SET lock_timeout = '2s';
             SET idle_in_transaction_session_timeout = '15s';"
        }
        Access::Migrate => "SET statement_timeout = 0; SET lock_timeout = 0;",
    };
    prepare(&mut conn, settings)?;
    Ok(conn)
}

/// Applies missing migrations and refuses a schema that is newer than this program.
pub fn migrate(url: &DatabaseUrl) -> Result<Vec<&'static str>, OpenError> {
    let mut conn = url.connect(Access::Migrate)?;
    check_suitable(&mut conn)?;
    refuse_newer_schema(&mut conn)?;
    Ok(match &mut conn {
        AnyConn::Pg(conn) => kitward_migrations::postgres::run(conn)?,
        AnyConn::Sqlite(conn) => kitward_migrations::sqlite::run(conn)?,
    })
}

/// Names of migrations not applied yet.
pub fn pending(url: &DatabaseUrl) -> Result<Vec<&'static str>, OpenError> {
    let mut conn = url.connect(Access::Migrate)?;
    Ok(read_pending(&mut conn)?.0)
}

/// Connects once, for `doctor`.
pub fn ping(url: &DatabaseUrl) -> Result<(), OpenError> {
    check_suitable(&mut url.connect(Access::Migrate)?)
}

fn read_pending(conn: &mut AnyConn) -> Result<(Vec<&'static str>, Option<String>), OpenError> {
    Ok(match conn {
        AnyConn::Pg(conn) => kitward_migrations::postgres::pending(conn)?,
        AnyConn::Sqlite(conn) => kitward_migrations::sqlite::pending(conn)?,
    })
}

fn refuse_newer_schema(conn: &mut AnyConn) -> Result<(), OpenError> {
    const OURS: &str = env!("CARGO_PKG_VERSION");
    let (_, needed) = read_pending(conn)?;
    let Some(needed) = needed else { return Ok(()) };
    let too_old = match (
        semver::Version::parse(&needed),
        semver::Version::parse(OURS),
    ) {
        (Ok(needed), Ok(ours)) => ours < needed,
        (Err(_), _) | (_, Err(_)) => true,
    };
    if too_old {
        Err(OpenError::BinaryTooOld { needed, ours: OURS })
    } else {
        Ok(())
    }
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

/// SQLite before 3.51.3 can corrupt a WAL; without QPSG it plans statements again and again.
fn check_suitable(conn: &mut AnyConn) -> Result<(), OpenError> {
    let AnyConn::Sqlite(conn) = conn else {
        return Ok(());
    };
    let version: Vec<TextRow> = sql_query("SELECT sqlite_version() AS value").load(conn)?;
    let version = version
        .into_iter()
        .next()
        .map(|row| row.value)
        .unwrap_or_default();
    let parsed = semver::Version::parse(&version).ok();
    if parsed.is_none_or(|v| v < semver::Version::new(3, 51, 3)) {
        return Err(OpenError::UnsuitableSqlite(format!(
            "version {version}, 3.51.3 is needed"
        )));
    }
    let options: Vec<TextRow> =
        sql_query("SELECT compile_options AS value FROM pragma_compile_options").load(conn)?;
    let has = |name: &str| options.iter().any(|row| row.value == name);
    if !has("ENABLE_QPSG") || has("ENABLE_STAT4") {
        return Err(OpenError::UnsuitableSqlite(
            "compiled without QPSG or with STAT4 (LIBSQLITE3_FLAGS)".to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_libpq_would_repeat_are_refused_without_repeating_them() {
        let parse = |text: &str| DatabaseUrl::parse(&SecretString::from(text.to_owned()));
        for bad in [
            "postgres://u:canary@h:port/db",
            "postgres://u:can ary@h/db",
            "postgres://u:can%ary@h/db",
            "postgres://u:can%00ary@h/db",
            "postgres://u:can@ary@h/db",
            "postgres://u:1?canary@h/db",
            "postgres://u:1#canary@h/db",
            "postgres://u:can/ary@h/db",
            "postgres://h/db?canary",
            "postgres://h/db?a=b=canary",
        ] {
            let refused = parse(bad).unwrap_err();
            assert_eq!(refused, UrlError::Malformed, "{bad}");
            assert!(!refused.to_string().contains("canary"));
        }
        for good in [
            "postgres://u:p%40w@h:5432/db?connect_timeout=3&application_name=kitward",
            "postgresql:///db?host=/var/run/postgresql",
            "postgres://localhost",
            "sqlite:data/kitward.sqlite",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
    }
}
