use std::collections::BTreeMap;

use crate::config::{Config, ConfigError, load};

fn given(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: BTreeMap<String, String> = pairs.iter().map(owned).collect();
    load(None, &variables)
}

/// Settings of a service, with one changed.
fn storage(changed: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut variables = vec![
        ("KITWARD_STORAGE_KIND", "s3"),
        ("KITWARD_STORAGE_S3_BUCKET", "kits"),
        ("KITWARD_STORAGE_S3_ENDPOINT", "https://objects.example.net"),
    ];
    variables.extend(changed);
    given(&variables)
}

#[test]
fn storage_that_could_not_be_used_is_refused_by_name() {
    let config = storage(&[]).unwrap();
    assert_eq!(
        config.storage.in_words(),
        "s3 · bucket kits at objects.example.net · addresses signed for 300 s"
    );
    for (variable, value, name) in [
        ("KITWARD_STORAGE_KIND", "ftp", "storage.kind"),
        ("KITWARD_STORAGE_DELIVERY", "fax", "storage.delivery"),
        (
            "KITWARD_STORAGE_SIGNED_SECONDS",
            "901",
            "storage.signed_seconds",
        ),
        (
            "KITWARD_STORAGE_TIMEOUT_SECONDS",
            "0",
            "storage.timeout_seconds",
        ),
        ("KITWARD_STORAGE_S3_BUCKET", "", "storage.s3.bucket"),
        ("KITWARD_STORAGE_S3_BUCKET", "a/b", "storage.s3.bucket"),
        ("KITWARD_STORAGE_S3_PREFIX", "/a", "storage.s3.prefix"),
        ("KITWARD_STORAGE_S3_PREFIX", "a/../b", "storage.s3.prefix"),
        ("KITWARD_STORAGE_S3_REGION", "", "storage.s3.region"),
        (
            "KITWARD_STORAGE_S3_ENDPOINT",
            "http://objects.example.net",
            "storage.s3.endpoint",
        ),
        (
            "KITWARD_STORAGE_S3_ENDPOINT",
            "https://u:p@objects.example.net",
            "storage.s3.endpoint",
        ),
        (
            "KITWARD_STORAGE_S3_ENDPOINT",
            "https://objects.example.net/kits",
            "storage.s3.endpoint",
        ),
        (
            "KITWARD_STORAGE_S3_ACCESS_KEY_ID",
            "id",
            "storage.s3.secret_access_key",
        ),
        (
            "KITWARD_STORAGE_S3_SECRET_ACCESS_KEY",
            " ",
            "storage.s3.secret_access_key",
        ),
        (
            "KITWARD_LIMITS_ARTIFACT_BYTES",
            "5368709121",
            "limits.artifact_bytes",
        ),
    ] {
        let error = storage(&[(variable, value)]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: ")), "{value}: {error}");
    }
    let largest = ("KITWARD_LIMITS_ARTIFACT_BYTES", "5368709120");
    assert!(storage(&[largest]).is_ok());
    let larger = ("KITWARD_LIMITS_ARTIFACT_BYTES", "5368709121");
    assert!(given(&[larger]).is_ok(), "a folder copies nothing");
    let azure = [
        ("KITWARD_STORAGE_KIND", "azure"),
        ("KITWARD_STORAGE_AZURE_ACCOUNT", "vendor"),
        ("KITWARD_STORAGE_AZURE_CONTAINER", "kits"),
    ];
    let error = given(&azure).unwrap_err().to_string();
    assert!(error.starts_with("storage.delivery: "), "{error}");
    let proxy = [("KITWARD_STORAGE_DELIVERY", "proxy")];
    assert!(given(&[&azure[..], &proxy].concat()).is_ok());
}

#[test]
fn signed_addresses_are_of_another_host_than_ours() {
    let ours = ("KITWARD_PUBLIC_URL", "https://kits.example.com");
    let at = |endpoint| ("KITWARD_STORAGE_S3_ENDPOINT", endpoint);
    // The port does not make another host of it.
    let same = [ours, at("https://kits.example.com:9000")];
    let error = storage(&same).unwrap_err().to_string();
    assert!(error.starts_with("storage.s3.endpoint: "), "{error}");
    assert!(error.contains("public_url"), "{error}");
    let proxy = ("KITWARD_STORAGE_DELIVERY", "proxy");
    assert!(storage(&[same[0], same[1], proxy]).is_ok());
    // The bucket's name in front counts too.
    let virtual_host = ("KITWARD_STORAGE_S3_ADDRESSING", "virtual_host");
    let config = storage(&[ours, at("https://example.net"), virtual_host]).unwrap();
    let url = config.storage.s3.virtual_host().unwrap();
    assert_eq!(url.as_str(), "https://kits.example.net/");
    // And may make ours of another.
    assert!(storage(&[ours, at("https://example.com"), virtual_host]).is_err());
}
