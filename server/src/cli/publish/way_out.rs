//! What clears the way where something of the draft stands in it.

use serde_json::Value;

use super::super::client::Unanswered;
use super::super::output::Failed;
use crate::downloads::model::shell_word;

/// A refusal of a release or of one of its files, with the command that clears the way.
pub(super) fn told(release: &str, file: &str, error: Unanswered) -> Failed {
    let command = command(release, file, &error);
    let failed = Failed::from(error);
    match command {
        Some(command) => failed.with_way_out(command),
        None => failed,
    }
}

fn command(release: &str, file: &str, error: &Unanswered) -> Option<String> {
    if !error.is(409) {
        return None;
    }
    let text = |member: &str| error.member(member).and_then(Value::as_str);
    if let Some(upload) = text("upload") {
        return Some(format!("kitward release abandon-upload {upload}"));
    }
    if error.member("open_uploads").is_some() {
        return Some(format!("kitward release uploads {release}"));
    }
    // Other bytes under its own name, the same ones as something else, or another file that is named.
    let is_own = ["sha256", "field"].iter().any(|it| text(it).is_some());
    let other = text("name").or_else(|| is_own.then_some(file))?;
    let options_end = if other.starts_with('-') { "-- " } else { "" };
    let other = shell_word(other);
    Some(format!(
        "kitward release remove-file {release} {options_end}{other}"
    ))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::*;

    fn refusal(status: StatusCode, problem: Value) -> Unanswered {
        Unanswered::Refused {
            status,
            problem,
            retry_after: None,
        }
    }

    #[test]
    fn the_way_out_is_the_command_for_what_stands_in_it() {
        for (problem, expected) in [
            (json!({ "upload": "upl_1" }), Some("abandon-upload upl_1")),
            (json!({ "open_uploads": 64 }), Some("uploads rel_1")),
            (json!({ "sha256": "ab" }), Some("remove-file rel_1 'a.zip'")),
            (
                json!({ "name": "-a.zip" }),
                Some("remove-file rel_1 -- '-a.zip'"),
            ),
            (
                json!({ "field": "kind" }),
                Some("remove-file rel_1 'a.zip'"),
            ),
            (
                json!({ "name": "A B.zip" }),
                Some("remove-file rel_1 'A B.zip'"),
            ),
            (json!({ "detail": "It is full." }), None),
        ] {
            let told = command("rel_1", "a.zip", &refusal(StatusCode::CONFLICT, problem));
            let expected = expected.map(|rest| format!("kitward release {rest}"));
            assert_eq!(told, expected);
        }
        let bad = refusal(StatusCode::UNPROCESSABLE_ENTITY, json!({ "field": "name" }));
        assert_eq!(command("rel_1", "a.zip", &bad), None);
    }
}
