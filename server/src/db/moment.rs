//! Moments in the columns of both databases.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::pg::Pg;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use diesel::sqlite::Sqlite;

use super::{AnyConn, Timestamp};

type Any = <AnyConn as diesel::Connection>::Backend;

impl FromSql<sql_types::Timestamp, Pg> for Timestamp {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        general::<Pg>(value)
    }
}

impl FromSql<sql_types::Timestamp, Any> for Timestamp {
    fn from_sql(value: <Any as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        general::<Any>(value)
    }
}

fn general<DB: Backend>(value: DB::RawValue<'_>) -> deserialize::Result<Timestamp>
where
    NaiveDateTime: FromSql<sql_types::Timestamp, DB>,
{
    let moment = <NaiveDateTime as FromSql<sql_types::Timestamp, DB>>::from_sql(value)?;
    Ok(Timestamp::from_naive(moment))
}

/// SQLite keeps text. Reading it by a general format takes longer than finding the row.
impl FromSql<sql_types::Timestamp, Sqlite> for Timestamp {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Sqlite>>::from_sql(value)?;
        let moment = match read(&text) {
            Some(moment) => moment,
            None => NaiveDateTime::parse_from_str(&text, "%F %T%.f")?,
        };
        Ok(Self::from_naive(moment))
    }
}

impl<DB: Backend> ToSql<sql_types::Timestamp, DB> for Timestamp
where
    NaiveDateTime: ToSql<sql_types::Timestamp, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.naive().to_sql(out)
    }
}

/// `2027-01-31 10:00:00`, with up to nine digits of a fraction: what diesel writes, and SQLite's own
/// functions. Years have four digits.
fn read(text: &str) -> Option<NaiveDateTime> {
    let digits = |from: usize, to: usize| -> Option<u32> {
        let part = text.get(from..to)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(())?;
        part.parse().ok()
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    let bytes = text.as_bytes();
    if separators
        .iter()
        .any(|(at, byte)| bytes.get(*at) != Some(byte))
    {
        return None;
    }
    let nanos = match text.len() {
        19 => 0,
        21..=29 if bytes.get(19) == Some(&b'.') => {
            let missing = u32::try_from(29 - text.len()).ok()?;
            digits(20, text.len())? * 10_u32.pow(missing)
        }
        _ => return None,
    };
    let year = i32::try_from(digits(0, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, digits(5, 7)?, digits(8, 10)?)?;
    date.and_hms_nano_opt(digits(11, 13)?, digits(14, 16)?, digits(17, 19)?, nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_000_000_000_i64..253_402_300_799, micros in 0_u32..1_000_000) {
            let moment = chrono::DateTime::from_timestamp(seconds, micros * 1_000).unwrap().naive_utc();
            prop_assert_eq!(read(&moment.format("%F %T%.f").to_string()), Some(moment));
        }

        #[test]
        fn it_reads_what_the_general_format_reads(text in "[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,9})?") {
            // The general format takes a leap second, which is never written.
            let general = NaiveDateTime::parse_from_str(&text, "%F %T%.f").ok();
            prop_assert_eq!(read(&text), general.filter(|_| !text.contains(":60")));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2027-01-31",
            "2027-01-31T10:00:00",
            "2027-01-31 10:00:00.",
            "2027-01-31 10:00:00.1234567890",
            "2027-02-30 10:00:00",
            "2027-01-31 24:00:00",
            "+027-01-31 10:00:00",
            "2027-01-31 10:00:0ä",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
