//! Names of files in headers, addresses and commands.

use data_encoding::HEXUPPER;

/// A text as one segment of a path: everything but unreserved characters is percent-encoded
/// (RFC 3986 §2.3).
pub fn path_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&HEXUPPER.encode(&[byte]));
        }
    }
    encoded
}

/// A name as one word of a shell.
pub fn shell_word(name: &str) -> String {
    format!("'{}'", name.replace('\'', r"'\''"))
}

/// `Content-Disposition` that saves under this name (RFC 6266), in full for clients that read
/// RFC 8187, else with what ASCII has of it.
pub fn content_disposition(name: &str) -> String {
    let plain = |c: char| {
        let fits = c == ' ' || c.is_ascii_graphic();
        if fits && !matches!(c, '"' | '\\' | '%') {
            c
        } else {
            '_'
        }
    };
    let fallback: String = name.chars().map(plain).collect();
    let full = path_segment(name);
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{full}")
}

/// `Content-Type` by the end of the name; nothing a browser would run.
pub fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
        "zip" | "whl" => "application/zip",
        "gz" | "tgz" | "crate" => "application/gzip",
        "xz" => "application/x-xz",
        "zst" => "application/zstd",
        "tar" => "application/x-tar",
        "pdf" => "application/pdf",
        "json" => "application/json",
        "patch" | "diff" => "text/x-diff",
        "txt" | "md" | "sha256" | "minisig" | "sig" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_in_full_and_in_ascii() {
        assert_eq!(
            content_disposition("kit-1.0.0.zip"),
            "attachment; filename=\"kit-1.0.0.zip\"; filename*=UTF-8''kit-1.0.0.zip"
        );
        assert_eq!(
            content_disposition("Größe 100%.zip"),
            "attachment; filename=\"Gr__e 100_.zip\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20100%25.zip"
        );
    }

    #[test]
    fn nothing_is_sent_that_a_browser_runs() {
        assert_eq!(content_type("kit.ZIP"), "application/zip");
        assert_eq!(content_type("kit.tar.gz"), "application/gzip");
        for risky in ["page.html", "image.svg", "run.js", "noextension", "a.xhtml"] {
            assert_eq!(content_type(risky), "application/octet-stream", "{risky}");
        }
    }
}
