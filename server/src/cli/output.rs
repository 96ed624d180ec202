//! What commands print, for people or as JSON.

use std::io::Write as _;

use serde_json::Value;

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

/// A refusal or failure: one line, the way out where there is one, then detail.
#[derive(Debug)]
pub(super) struct Failed {
    line: String,
    way_out: Option<String>,
    detail: Option<String>,
}

impl Failed {
    pub(super) fn new(line: impl Into<String>) -> Self {
        Self {
            line: line.into(),
            way_out: None,
            detail: None,
        }
    }

    /// Says what the failure is about.
    pub(super) fn in_front(mut self, what: &str) -> Self {
        self.line = format!("{what}: {}", self.line);
        self
    }

    /// A command that clears the way.
    pub(super) fn with_way_out(mut self, command: impl Into<String>) -> Self {
        self.way_out = Some(command.into());
        self
    }

    pub(super) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl<E: std::error::Error + 'static> From<E> for Failed {
    fn from(error: E) -> Self {
        let line = error.to_string();
        let chain = crate::http::error::chain(&error);
        let detail = (chain != line).then(|| chain.clone());
        Self {
            line,
            way_out: None,
            detail,
        }
    }
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Text for people, or the value where JSON was asked for.
    pub(super) fn show(self, text: &str, value: &Value) {
        let mut out = std::io::stdout().lock();
        // A reader that went away is no failure of the command.
        let _ = if self.json {
            writeln!(out, "{value}")
        } else {
            writeln!(out, "{text}")
        };
        let _ = out.flush();
    }

    /// Whether the output is for programs.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// A line on how it is going, on stderr; nothing for programs.
    pub(super) fn note(self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// The failure, on stderr.
    pub(super) fn failure(self, failed: &Failed) {
        let mut out = std::io::stderr().lock();
        if self.json {
            let value = serde_json::json!({
                "error": failed.line, "way_out": failed.way_out, "detail": failed.detail,
            });
            let _ = writeln!(out, "{value}");
            return;
        }
        let _ = writeln!(out, "kitward: {}", failed.line);
        if let Some(command) = &failed.way_out {
            let _ = writeln!(out, "  way out: {command}");
        }
        if let Some(detail) = &failed.detail {
            let _ = writeln!(out, "  {detail}");
        }
    }
}

/// A JSON object as `name  value` lines, for people.
pub(super) fn lines(value: &Value) -> String {
    let Value::Object(members) = value else {
        return value.to_string();
    };
    let width = members.keys().map(String::len).max().unwrap_or_default();
    let shown = members.iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Null => "–".to_owned(),
            other => other.to_string(),
        };
        format!("{name:width$}  {value}")
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Rows of a list, these columns only.
pub(super) fn table(rows: &[Value], columns: &[&str]) -> String {
    let cell = |row: &Value, column: &str| match row.get(column) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "–".to_owned(),
        Some(other) => other.to_string(),
    };
    let width = |column: &str| {
        rows.iter()
            .map(|row| cell(row, column).chars().count())
            .max()
            .unwrap_or_default()
    };
    let shown = rows.iter().map(|row| {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| format!("{:w$}", cell(row, column), w = width(column)))
            .collect();
        cells.join("  ").trim_end().to_owned()
    });
    shown.collect::<Vec<_>>().join("\n")
}
