use std::os::unix::ffi::OsStringExt;

use secrecy::ExposeSecret;

use super::*;

fn given(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    load(None, &pairs.iter().map(owned).collect())
}

fn written(text: &str) -> Result<Config, ConfigError> {
    let name = format!("kitward-config-{}-{:p}.toml", std::process::id(), text);
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    let loaded = load(Some(&path), &BTreeMap::new());
    std::fs::remove_file(&path).unwrap();
    loaded
}

fn whole(error: &ConfigError) -> String {
    format!("{} {error:?}", crate::http::error::chain(error))
}

#[test]
fn a_refusal_names_the_field_and_never_repeats_what_was_found() {
    for (text, name) in [
        ("stripe = \"canary\"", "stripe"),
        ("mail = \"smtp://u:canary@h\"", "mail"),
        ("limits = \"canary\"", "limits"),
        ("[stripe]\nmode = \"sk_live_canary\"", "stripe.mode"),
        (
            "[stripe]\nmode = \"canary, expected canary\"",
            "stripe.mode",
        ),
        (
            "[stripe]\nwebhook_secrets = { a = \"canary\" }",
            "stripe.webhook_secrets",
        ),
        (
            "[stripe]\nwebhook_secrets = [[\"canary\"]]",
            "stripe.webhook_secrets",
        ),
        ("[stripe]\nsecret_key = [\"canary\"]", "stripe.secret_key"),
        ("[stripe]\napi_url = \"canary\"", "stripe.api_url"),
        (
            "[stripe]\napi_url = \"http://u:canary@example.com\"",
            "stripe.api_url",
        ),
        (
            "[stripe]\nsecret_key_file = \"/no/canary\"",
            "stripe.secret_key_file",
        ),
        ("[mail]\nsmtp_url = \"canary\"", "mail.smtp_url"),
        ("[mail]\nfrom = \"canary\"", "mail.from"),
        ("[limits]\njson_bytes = \"canary\"", "limits.json_bytes"),
        ("public_url = \"canary\"", "public_url"),
        ("listen = \"canary\"", "listen"),
        ("log = \"kitward=canary\"", "log"),
        ("log_format = \"canary\"", "log_format"),
        ("master_key = \"canary\"", "master_key"),
        (
            "database_url = \"postgres://u:canary@h:port/db\"",
            "database_url",
        ),
    ] {
        let error = whole(&written(text).unwrap_err());
        assert!(error.contains(name), "{name}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
    let error = whole(&written("[stripe]\nmode = \"x\"").unwrap_err());
    assert!(error.contains("live") && error.contains("test"), "{error}");
    let error = whole(&written("stripe = \"x\"").unwrap_err());
    assert!(error.contains("must be a section"), "{error}");
}

#[test]
fn a_list_may_be_one_text_and_holds_no_blanks() {
    let config = written("[stripe]\nwebhook_secrets = \"whsec_a, whsec_b\"").unwrap();
    let secrets: Vec<&str> = config
        .stripe
        .webhook_secrets
        .iter()
        .map(ExposeSecret::expose_secret)
        .collect();
    assert_eq!(secrets, ["whsec_a", "whsec_b"]);
    for text in [
        "[\" \"]",
        "[]",
        "\"\"",
        "\"whsec_a,,\"",
        "[\"whsec_a\", \"\"]",
    ] {
        let loaded = written(&format!("[stripe]\nwebhook_secrets = {text}"));
        if text == "[]" {
            assert!(loaded.is_ok(), "none at all is said clearly");
        } else {
            let error = whole(&loaded.unwrap_err());
            assert!(error.contains("stripe.webhook_secrets"), "{error}");
        }
    }
}

#[test]
fn a_secret_that_is_given_and_empty_is_refused_by_name() {
    for (variable, name) in [
        ("KITWARD_STRIPE_WEBHOOK_SECRETS", "stripe.webhook_secrets"),
        ("KITWARD_STRIPE_SECRET_KEY", "stripe.secret_key"),
        ("KITWARD_MAIL_SMTP_URL", "mail.smtp_url"),
        ("KITWARD_MASTER_KEY", "master_key"),
        ("KITWARD_DATABASE_URL", "database_url"),
    ] {
        for (variable, value) in [
            (variable.to_owned(), ""),
            (variable.to_owned(), " "),
            (format!("{variable}_FILE"), "/dev/null"),
        ] {
            let error = whole(&given(&[(&variable, value)]).unwrap_err());
            assert!(
                error.contains(&format!("{name}: is given and empty")),
                "{error}"
            );
        }
    }
}

#[test]
fn what_serving_would_refuse_is_refused_here() {
    let long = "x".repeat(101);
    for (variable, value, name) in [
        ("KITWARD_MASTER_KEY", "abc", "master_key"),
        ("KITWARD_LOG", "kitward=loud", "log"),
        (
            "KITWARD_STRIPE_API_URL",
            "http://api.example.com",
            "stripe.api_url",
        ),
        (
            "KITWARD_STRIPE_API_URL",
            "ftp://localhost",
            "stripe.api_url",
        ),
        ("KITWARD_LIMITS_JSON_BYTES", "0", "limits.json_bytes"),
        (
            "KITWARD_LIMITS_WEBHOOK_BYTES",
            "1023",
            "limits.webhook_bytes",
        ),
        (
            "KITWARD_LIMITS_ARTIFACT_BYTES",
            "0",
            "limits.artifact_bytes",
        ),
        ("KITWARD_DATABASE_WRITE_BATCH", "0", "database.write_batch"),
        (
            "KITWARD_DATABASE_WRITE_BATCH",
            "4097",
            "database.write_batch",
        ),
        ("KITWARD_VENDOR_NAME", "", "vendor.name"),
        ("KITWARD_VENDOR_NAME", "a\nb", "vendor.name"),
        ("KITWARD_VENDOR_NAME", &long, "vendor.name"),
    ] {
        let error = given(&[(variable, value)]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: ")), "{error}");
    }
    given(&[
        ("KITWARD_MASTER_KEY", &"0f".repeat(32)),
        ("KITWARD_LOG", "kitward=debug,info"),
        ("KITWARD_STRIPE_API_URL", "http://127.0.0.1:1"),
        ("KITWARD_LIMITS_JSON_BYTES", "1024"),
    ])
    .unwrap();
}

#[test]
fn a_variable_that_is_no_text_is_named() {
    let odd = OsString::from_vec(vec![b'x', 0xff]);
    let error = ours([("KITWARD_LOG".into(), odd.clone())].into_iter()).unwrap_err();
    assert_eq!(error.to_string(), "the value of KITWARD_LOG is not UTF-8");
    assert!(
        ours([("OTHER".into(), odd)].into_iter())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_demo_heeds_the_variables_of_the_log_and_no_other() {
    let variables = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let config = log_only(variables(&[("KITWARD_LISTEN", "0.0.0.0:1")]), "warn").unwrap();
    assert_eq!((config.log.as_str(), config.listen.port()), ("warn", 8080));
    let config = log_only(
        variables(&[("KITWARD_LOG", "debug"), ("KITWARD_LOG_FORMAT", "json")]),
        "warn",
    );
    let config = config.unwrap();
    assert_eq!(config.log, "debug");
    assert_eq!(config.log_format, crate::config::LogFormat::Json);
}

#[test]
fn trusted_proxies_are_networks() {
    let nets = |text: &str| given(&[("KITWARD_TRUSTED_PROXIES", text)]);
    let config = nets("172.16.0.0/12, fd00::/8").unwrap();
    let shown: Vec<String> = config
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["172.16.0.0/12", "fd00::/8"]);
    let file = written("trusted_proxies = [\"10.0.0.1/32\"]").unwrap();
    assert_eq!(file.trusted_proxies.len(), 1);
    assert!(given(&[]).unwrap().trusted_proxies.is_empty());
    for bad in ["", "10.0.0.1", "proxy.example.com", "10.0.0.0/33"] {
        let error = nets(bad).unwrap_err();
        assert!(whole(&error).contains("trusted_proxies"), "{bad}: {error}");
    }
}
