//! All rows of a list as one file, read slice by slice: memory does not grow with the file.
//!
//! Each slice is one snapshot; a row that is added meanwhile may be in the file or not. A list that
//! has pages has the same rows as files: the handlers of both give the same `read`.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::{self, Stream};
use serde::Serialize;

use super::error::ApiError;
use crate::app::App;
use crate::csv::line;
use crate::db::{AnyConn, DbError};

/// Comma-separated values.
pub const CSV: &str = "text/csv; charset=utf-8";
const JSON: &str = "application/json";
/// Rows of one slice.
const SLICE: usize = 500;

/// A row of a list that is had as a file, too.
pub trait Row<const N: usize>: Serialize + Send + 'static {
    /// What its cells are called.
    const COLUMNS: [&'static str; N];

    /// What the next slice starts after.
    fn cursor(&self) -> String;

    /// What stands in its line.
    fn cells(&self) -> [String; N];
}

/// How rows are written.
struct Form<T> {
    head: String,
    row: fn(&T) -> String,
    between: &'static str,
    foot: &'static str,
}

/// What is read, and how it is written.
struct Export<T, R> {
    app: Arc<App>,
    read: R,
    cursor: fn(&T) -> String,
    form: Form<T>,
}

/// The file as comma-separated values; no cell is a formula. `read` gets the cursor and how many rows to
/// look at, as that of a page does.
pub fn csv<const N: usize, T: Row<N>>(
    app: Arc<App>,
    name: &str,
    read: impl Fn(&mut AnyConn, &str, i64) -> Result<Vec<T>, DbError> + Send + Sync + 'static,
) -> HttpResponse {
    let form = Form {
        head: line(&T::COLUMNS),
        row: |row: &T| line(&row.cells()),
        between: "",
        foot: "",
    };
    let export = Export {
        app,
        read,
        cursor: T::cursor,
        form,
    };
    answer(&format!("{name}.csv"), CSV, export.slices())
}

/// The same as one JSON list.
pub fn json<const N: usize, T: Row<N>>(
    app: Arc<App>,
    name: &str,
    read: impl Fn(&mut AnyConn, &str, i64) -> Result<Vec<T>, DbError> + Send + Sync + 'static,
) -> HttpResponse {
    let form = Form {
        head: "[\n".to_owned(),
        // A tree of texts and numbers, which always is JSON.
        row: |row: &T| serde_json::to_string(row).unwrap_or_default(),
        between: ",\n",
        foot: "\n]\n",
    };
    let export = Export {
        app,
        read,
        cursor: T::cursor,
        form,
    };
    answer(&format!("{name}.json"), JSON, export.slices())
}

/// The cell of what may be missing.
pub fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The head of an answer that is saved as a file.
pub fn attachment(name: &str, media_type: &'static str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(media_type)
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .insert_header((CACHE_CONTROL, "no-store"));
    response
}

fn answer(
    name: &str,
    media_type: &'static str,
    slices: impl Stream<Item = Result<Bytes, DbError>> + 'static,
) -> HttpResponse {
    attachment(name, media_type).streaming(slices.map_err(ApiError::from))
}

impl<T, R> Export<T, R>
where
    T: Send + 'static,
    R: Fn(&mut AnyConn, &str, i64) -> Result<Vec<T>, DbError> + Send + Sync + 'static,
{
    fn slices(self) -> impl Stream<Item = Result<Bytes, DbError>> + 'static {
        let export = Arc::new(self);
        stream::try_unfold(Some(String::new()), move |next: Option<String>| {
            let export = Arc::clone(&export);
            async move {
                let Some(after) = next else {
                    return Ok(None);
                };
                let (text, next) = export.slice(after).await?;
                Ok(Some((Bytes::from(text), next)))
            }
        })
    }

    /// The rows after a cursor as they stand in the file, and where the next slice starts; `None` after
    /// the last.
    async fn slice(self: &Arc<Self>, after: String) -> Result<(String, Option<String>), DbError> {
        let starts_file = after.is_empty();
        let rows = i64::try_from(SLICE).unwrap_or(i64::MAX);
        let export = Arc::clone(self);
        let found = self
            .app
            .db
            .read_slow(move |conn| (export.read)(conn, &after, rows))
            .await?;
        let form = &self.form;
        let mut text = String::new();
        if starts_file {
            text.push_str(&form.head);
        }
        for (at, row) in found.iter().enumerate() {
            if at > 0 || !starts_file {
                text.push_str(form.between);
            }
            text.push_str(&(form.row)(row));
        }
        let last = found.last().filter(|_| found.len() == SLICE);
        let next = last.map(self.cursor);
        if next.is_none() {
            text.push_str(form.foot);
        }
        Ok((text, next))
    }
}
