//! A comparison with neutral values.

use super::{ChangeKind, ChangedFile, ComparePage};
use crate::frame::{Frame, NavItem};

impl ComparePage {
    /// A release with some of everything.
    pub fn sample() -> Self {
        let file = |kind, path: &str, diff: &str| ChangedFile {
            kind,
            path: path.to_owned(),
            old_path: None,
            note: None,
            lines_added: diff.matches("\n+").count() as u64,
            lines_removed: diff.matches("\n-").count() as u64,
            diff: diff.to_owned(),
        };
        let edit = "@@ -1,3 +1,3 @@\n import { send } from './send';\n-const retries = 1;\n+const retries = 3;\n export { send };\n";
        Self {
            frame: Frame {
                current: NavItem::Downloads,
                path: "/downloads/feedback-widget/compare/4.2.0...4.2.1".to_owned(),
                ..Frame::sample()
            },
            kit_name: "Feedback Widget Kit".to_owned(),
            kit: "feedback-widget".to_owned(),
            from: "4.2.0".to_owned(),
            to: "4.2.1".to_owned(),
            total: 4,
            lines_added: 2,
            lines_removed: 1,
            complete: true,
            patch_bytes: 1_840,
            folder: Some("feedback-widget-4.2.0".to_owned()),
            others: vec!["4.1.0".to_owned(), "3.9.4".to_owned()],
            files: vec![
                ChangedFile {
                    note: Some("No text, 12.1 kB before, 14.0 kB now.".to_owned()),
                    ..file(ChangeKind::Modified, "assets/logo.png", "")
                },
                file(
                    ChangeKind::Removed,
                    "src/legacy.ts",
                    "@@ -1 +0,0 @@\n-export {};\n",
                ),
                file(ChangeKind::Modified, "src/retry.ts", edit),
                ChangedFile {
                    old_path: Some("src/widget.css".to_owned()),
                    note: Some("Its content is the same.".to_owned()),
                    ..file(ChangeKind::Renamed, "src/ui/widget.css", "")
                },
            ],
        }
    }

    /// Two versions with the same files.
    pub fn sample_empty() -> Self {
        Self {
            total: 0,
            lines_added: 0,
            lines_removed: 0,
            patch_bytes: 0,
            others: Vec::new(),
            files: Vec::new(),
            ..Self::sample()
        }
    }
}
