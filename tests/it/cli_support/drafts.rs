//! A draft is mended: its files and the uploads into it.

use kitward_tests::Ended;
use serde_json::{Value, json};

use super::{Terminal, at_a_terminal};

const DRAFT: &str = "feedback-widget@1.0.0";

impl Terminal {
    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// Publishes nothing yet.
    fn draft(&self, words: &[&str]) -> Ended {
        let publish = ["publish", "feedback-widget", "1.0.0", "--draft"];
        self.run(&[&publish[..], words].concat())
    }

    /// What a refusal says leads on.
    #[track_caller]
    fn way_out(&self, words: &[&str]) -> String {
        let ended = self.draft(words);
        assert_eq!(ended.status, 1, "{ended:?}");
        let mut said = ended.err.lines().flat_map(serde_json::from_str::<Value>);
        let failure = said.find(|said| said["error"].is_string()).unwrap();
        let way_out = failure["way_out"].as_str();
        way_out.unwrap_or_else(|| panic!("{failure}")).to_owned()
    }

    /// Names of the draft's files.
    fn names(&self) -> Vec<String> {
        let release = self.done(&["release", "show", DRAFT]);
        let files = release["artifacts"].as_array().unwrap().iter();
        files
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn a_file_is_taken_out_of_a_draft() {
    at_a_terminal(async |at| {
        at.write("my kit.bin", b"one");
        at.write("notes.txt", b"notes");
        let ended = at.draft(&["my kit.bin", "notes.txt"]);
        assert_eq!(ended.status, 0, "{ended:?}");
        let release = at.done(&["release", "show", DRAFT]);
        let id = release["id"].as_str().unwrap();
        // The same bytes as something else, then other bytes.
        let expected = format!("kitward release remove-file {id} 'my kit.bin'");
        assert_eq!(at.way_out(&["my kit.bin", "--kind", "app"]), expected);
        at.write("my kit.bin", b"two");
        assert_eq!(at.way_out(&["my kit.bin"]), expected);
        let removed = at.done(&["release", "remove-file", DRAFT, "my kit.bin"]);
        assert_eq!(removed["removed"], true);
        assert_eq!(at.names(), ["notes.txt"]);
        at.refused(&["release", "remove-file", DRAFT, "my kit.bin"], "no file");
        let ended = at.draft(&["my kit.bin", "--kind", "app"]);
        assert_eq!(ended.status, 0, "{ended:?}");
        assert_eq!(at.names(), ["my kit.bin", "notes.txt"]);
    });
}

#[test]
fn uploads_under_way_are_listed_and_given_up() {
    at_a_terminal(async |at| {
        at.write("notes.txt", b"notes");
        let ended = at.draft(&["notes.txt"]);
        assert_eq!(ended.status, 0, "{ended:?}");
        let release = at.done(&["release", "show", DRAFT]);
        let id = release["id"].as_str().unwrap();
        let admin = at.app.anonymous();
        let admin = admin.with("authorization", format!("Bearer {}", at.token));
        let announce = async |name: String| {
            let sha256 = crate::uploads::sha256(b"kit");
            let body = json!({ "name": name, "size": 3, "sha256": sha256 });
            let path = format!("/v1/admin/releases/{id}/uploads");
            admin.post(&path, &body).await.expect_status(201)
        };
        let begun = announce("kit.bin".to_owned()).await;
        let listed = at.done(&["release", "uploads", DRAFT]);
        assert_eq!(listed, json!([begun.json()]));
        // The same bytes as something else.
        at.write("kit.bin", b"kit");
        let way_out = at.way_out(&["kit.bin", "--kind", "app"]);
        let upload = begun.str("/id");
        assert_eq!(way_out, format!("kitward release abandon-upload {upload}"));
        let given_up = at.done(&["release", "abandon-upload", &upload]);
        assert_eq!(given_up["abandoned"], true);
        assert_eq!(at.done(&["release", "uploads", DRAFT]), json!([]));
        for number in 0..64 {
            announce(format!("{number}.bin")).await;
        }
        let way_out = at.way_out(&["kit.bin", "--kind", "app"]);
        assert_eq!(way_out, format!("kitward release uploads {id}"));
        let listed = at.done(&["release", "uploads", DRAFT]);
        assert_eq!(listed.as_array().unwrap().len(), 64);
        at.refused(&["release", "abandon-upload", "upl_1"], "no such upload");
    });
}
