//! What is said of a release beside its files.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::arguments::Publish;
use super::super::output::Failed;
use super::files::at;
use crate::clock::Timestamp;
use crate::releases::model::{Channel, Severity};

/// Fields that were asked for; what was not is the server's to choose, or was chosen by an earlier run.
pub(super) struct Asked(Vec<(&'static str, Value)>);

impl Asked {
    pub(super) fn read(publish: &Publish) -> Result<Self, Failed> {
        let notes = match &publish.notes {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| at(path, &error))?;
                Some(text.into())
            }
            None => None,
        };
        let figures = &publish.figures;
        let number = |n: Option<u32>| n.map(Value::from);
        let features = Some(&publish.require).filter(|features| !features.is_empty());
        let fields = [
            (
                "channel",
                publish.channel.map(|c: Channel| c.as_str().into()),
            ),
            (
                "severity",
                publish.severity.map(|s: Severity| s.as_str().into()),
            ),
            ("notes", notes),
            ("entitled_at", moment(publish.entitled_at.as_deref())?),
            (
                "minimum_version",
                publish.minimum_version.clone().map(Value::from),
            ),
            (
                "required_entitlements",
                features.map(|features| json!(features)),
            ),
            ("quality_score", number(figures.quality_score)),
            ("build_seconds", number(figures.build_seconds)),
            ("tests_passed", number(figures.tests_passed)),
            ("tests_failed", number(figures.tests_failed)),
            ("bugs_found", number(figures.bugs_found)),
            ("bugs_fixed", number(figures.bugs_fixed)),
        ];
        let given = fields.into_iter();
        Ok(Self(
            given
                .filter_map(|(name, value)| value.map(|value| (name, value)))
                .collect(),
        ))
    }

    /// The draft to make.
    pub(super) fn body(&self, publish: &Publish) -> Value {
        let mut body = Map::new();
        body.insert("kit".to_owned(), publish.kit.as_str().into());
        body.insert("version".to_owned(), publish.version.as_str().into());
        for (name, value) in &self.0 {
            body.insert((*name).to_owned(), value.clone());
        }
        Value::Object(body)
    }

    /// A run that cannot do what it was asked must not look as if it had.
    pub(super) fn refuse_difference(&self, release: &Value, version: &str) -> Result<(), Failed> {
        for (name, asked) in &self.0 {
            let present = release.get(*name).unwrap_or(&Value::Null);
            if !is_same(name, present, asked) {
                let shown = match present {
                    _ if *name == "notes" => "different".to_owned(),
                    Value::Null => "not set".to_owned(),
                    other => other.to_string(),
                };
                let flag = match *name {
                    "required_entitlements" => "require".to_owned(),
                    name => name.replace('_', "-"),
                };
                return Err(Failed::new(format!(
                    "release {version} is there, and its {name} is {shown}"
                ))
                .with_detail(format!("leave --{flag} out, or publish a new version")));
            }
        }
        Ok(())
    }
}

/// As the server writes it, so that both can be compared.
fn moment(text: Option<&str>) -> Result<Option<Value>, Failed> {
    let Some(text) = text else { return Ok(None) };
    let moment = Timestamp::parse(text)
        .ok_or_else(|| Failed::new(format!("{text} is no time such as 2027-01-31T00:00:00Z")))?;
    Ok(Some(json!(moment)))
}

/// Features have no order.
fn is_same(name: &str, present: &Value, asked: &Value) -> bool {
    if name != "required_entitlements" {
        return present == asked;
    }
    let words = |value: &Value| {
        let words = value.as_array().into_iter().flatten();
        let words = words.filter_map(Value::as_str).map(str::to_owned);
        words.collect::<BTreeSet<String>>()
    };
    words(present) == words(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_in_other_words_is_the_same() {
        let publish = Publish {
            entitled_at: Some("2027-01-31T01:00:00+01:00".to_owned()),
            require: vec!["b".to_owned(), "a".to_owned(), "a".to_owned()],
            ..Publish::default()
        };
        let asked = Asked::read(&publish).ok().unwrap();
        let mut release = json!({
            "entitled_at": "2027-01-31T00:00:00Z", "required_entitlements": ["a", "b"], "notes": "x",
        });
        assert!(asked.refuse_difference(&release, "1.0.0").is_ok());
        release["required_entitlements"] = json!(["a"]);
        assert!(asked.refuse_difference(&release, "1.0.0").is_err());
    }
}
