//! `?limit=&cursor=` of lists.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::error::ApiError;
use crate::app::App;
use crate::db::{AnyConn, DbError, Page};

const DEFAULT: usize = 20;
const MOST: usize = 100;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many rows.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(max_length = 100, pattern = "^[!-~]*$")]
    cursor: Option<String>,
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// `next_cursor` of the page before; empty for the first page.
    pub after: String,
    /// How many rows the page may have.
    pub limit: usize,
}

impl PageQuery {
    /// 1 to 100 rows, 20 where nothing is said.
    pub fn window(self) -> Result<Window, ApiError> {
        window(self.limit, self.cursor)
    }

    /// Refuses to be asked for a part of what is a file of all rows.
    pub fn refuse(&self) -> Result<(), ApiError> {
        refuse_paging(self.limit, self.cursor.as_deref())
    }
}

/// The same for a list with filters of its own.
pub fn refuse_paging(limit: Option<usize>, cursor: Option<&str>) -> Result<(), ApiError> {
    let reason = "has no meaning here: an export holds all rows";
    match (limit, cursor) {
        (None, None) => Ok(()),
        (Some(_), _) => Err(ApiError::field("limit", reason)),
        (None, Some(_)) => Err(ApiError::field("cursor", reason)),
    }
}

/// Checks what a list with filters of its own was asked for.
pub fn window(limit: Option<usize>, cursor: Option<String>) -> Result<Window, ApiError> {
    let limit = limit.unwrap_or(DEFAULT);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::field("limit", "must be 1 to 100"));
    }
    let after = cursor.unwrap_or_default();
    if after.len() > 100 || !after.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ApiError::field("cursor", "is no cursor of this list"));
    }
    Ok(Window { after, limit })
}

impl Window {
    /// The page as an answer. `read` gets the cursor and how many rows to look at; `id` is what the
    /// next page starts after.
    pub async fn page<T: Serialize + Send + 'static>(
        self,
        app: &App,
        read: impl FnOnce(&mut AnyConn, &str, i64) -> Result<Vec<T>, DbError> + Send + 'static,
        id: impl Fn(&T) -> String,
    ) -> Result<HttpResponse, ApiError> {
        let rows = self.rows();
        let Self { after, limit } = self;
        let found = app
            .db
            .read_slow(move |conn| read(conn, &after, rows))
            .await?;
        Ok(HttpResponse::Ok().json(Page::cut(found, limit, id)))
    }

    /// One row more than the page has, to know whether another page follows.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_100_rows() {
        assert_eq!(window(None, None).unwrap().limit, 20);
        assert_eq!(window(Some(100), None).unwrap().rows(), 101);
        assert!(window(Some(0), None).is_err());
        assert!(window(Some(101), None).is_err());
        assert!(window(None, Some("x".repeat(101))).is_err());
        assert!(window(None, Some("a\0b".to_owned())).is_err());
    }
}
