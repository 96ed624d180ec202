//! All licenses of a list as one file, read slice by slice: memory does not grow with the file.
//!
//! Each slice is one snapshot; a license that is issued meanwhile may be in the file or not.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};

use super::listing;
use super::overview::Overview;
use super::store::Filter;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbError;

/// Rows of one slice.
const SLICE: usize = 500;

const COLUMNS: &str = "id,status,customer_id,policy_id,edition,kits,seat_kind,seats_used,\
    seat_limit,starts_at,valid_until,updates_until,key_hint,created_at\r\n";

/// How rows are written.
pub trait Form: Send + Sync + 'static {
    /// Before the first row.
    fn head(&self) -> String;
    /// One row; `first` tells whether it is the first of the file.
    fn row(&self, row: &Overview, now: Timestamp, first: bool) -> String;
    /// After the last row.
    fn foot(&self) -> String;
}

/// Where the next slice starts; `None` after the last.
type Next = Option<(String, bool)>;

/// The file, slice by slice.
pub fn export(
    app: Arc<App>,
    filter: Filter,
    form: impl Form,
) -> impl Stream<Item = Result<Bytes, DbError>> {
    let state = (app, Arc::new(filter), Arc::new(form));
    stream::try_unfold(Some((String::new(), true)), move |next: Next| {
        let (app, filter, form) = state.clone();
        async move {
            let Some((after, first)) = next else {
                return Ok(None);
            };
            let (text, next) = slice(&app, &filter, form.as_ref(), after, first).await?;
            Ok(Some((Bytes::from(text), next)))
        }
    })
}

async fn slice(
    app: &App,
    filter: &Arc<Filter>,
    form: &impl Form,
    after: String,
    first: bool,
) -> Result<(String, Next), DbError> {
    let rows = i64::try_from(SLICE).unwrap_or(i64::MAX);
    let filter = Arc::clone(filter);
    let found = app
        .db
        .read_slow(move |conn| listing::page(conn, &filter, &after, rows))
        .await?;
    let mut text = if first { form.head() } else { String::new() };
    let now = app.clock.now();
    for (at, row) in found.iter().enumerate() {
        text.push_str(&form.row(row, now, first && at == 0));
    }
    let last = found.last().filter(|_| found.len() == SLICE);
    let next = last.map(|row| (row.holding.license.id.to_string(), false));
    if next.is_none() {
        text.push_str(&form.foot());
    }
    Ok((text, next))
}

/// Comma-separated values (RFC 4180), which a spreadsheet opens without running anything.
#[derive(Debug, Clone, Copy)]
pub struct Csv;

impl Form for Csv {
    fn head(&self) -> String {
        COLUMNS.to_owned()
    }

    fn row(&self, row: &Overview, now: Timestamp, _first: bool) -> String {
        let license = &row.holding.license;
        let time = |moment: Option<Timestamp>| moment.map_or_else(String::new, |it| it.to_string());
        let slugs: Vec<&str> = row.kits.iter().map(|kit| kit.slug.as_str()).collect();
        let limit = license.seat_limit.map(|limit| limit.to_string());
        let cells = [
            license.id.to_string(),
            row.holding.standing(true).status(now).to_string(),
            license.customer_id.to_string(),
            license.policy_id.to_string(),
            row.holding.terms.edition.clone(),
            slugs.join(" "),
            row.holding.terms.seat_kind.to_string(),
            license.seats_used.to_string(),
            limit.unwrap_or_default(),
            license.starts_at.to_string(),
            time(license.valid_until),
            time(license.updates_until),
            row.holding.key_hint.clone(),
            license.created_at.to_string(),
        ];
        let mut line = String::new();
        for (at, text) in cells.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(line, "{comma}{}", cell(text));
        }
        line.push_str("\r\n");
        line
    }

    fn foot(&self) -> String {
        String::new()
    }
}

/// What a spreadsheet would run as a formula gets an apostrophe in front of it.
pub fn cell(text: &str) -> String {
    let starts = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r');
    let text = if text.starts_with(starts) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            let shown = cell(text);
            assert!(shown.trim_start_matches('"').starts_with('\''), "{text:?}");
        }
        assert_eq!(cell("a-b"), "a-b");
    }

    #[test]
    fn a_cell_stays_one_cell() {
        assert_eq!(cell("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(cell("=A1,B1"), "\"'=A1,B1\"");
    }
}
