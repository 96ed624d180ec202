use std::io::{Cursor, Read as _};

use kitward_fakes::sample_kit_zip;
use zip::ZipArchive;

use crate::Outcome;

fn file(name: &str) -> Outcome<String> {
    let mut zip = ZipArchive::new(Cursor::new(sample_kit_zip()))?;
    let mut text = String::new();
    zip.by_name(name)?.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn the_zip_is_the_same_each_time() {
    assert_eq!(sample_kit_zip(), sample_kit_zip());
}

#[test]
fn the_zip_holds_the_kit() -> Outcome {
    let zip = ZipArchive::new(Cursor::new(sample_kit_zip()))?;
    let names = zip.file_names().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(
        names,
        [
            "README.md",
            "LICENSE.txt",
            "package.json",
            "tsconfig.json",
            "src/widget.ts",
            "src/widget.css",
            "example/index.html",
        ]
    );
    assert!(file("README.md")?.starts_with("# Feedback Widget Kit"));
    assert!(file("src/widget.ts")?.contains("export function mountFeedback"));
    let package: serde_json::Value = serde_json::from_str(&file("package.json")?)?;
    assert_eq!(
        (package["name"].as_str(), package["version"].as_str()),
        (Some("feedback-widget-kit"), Some("1.0.0"))
    );
    Ok(())
}

#[test]
fn every_class_of_the_widget_has_a_style() -> Outcome {
    let (widget, styles) = (file("src/widget.ts")?, file("src/widget.css")?);
    let classes: Vec<&str> = widget
        .split("className: \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(classes.len() >= 5, "{classes:?}");
    for class in classes {
        assert!(styles.contains(&format!(".{class}")), "{class}");
    }
    Ok(())
}
