//! Host names: one text for one site, and which of them use no seat.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Longest host name (RFC 1035 §2.3.4, without the last dot).
const HOST_MAX: usize = 253;

/// Names that are never on the Internet (RFC 2606, 6761, 6762).
const LOCAL: [&str; 5] = ["localhost", "local", "test", "example", "invalid"];

/// The one text of a site: without scheme, `www.`, port, path and last dot, in IDNA's ASCII form.
/// IPv6 addresses stand in brackets. `None`: no host.
pub(super) fn host(text: &str) -> Option<String> {
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(format!("[{address}]"));
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    // A URL parser skips slashes here; a path is no host.
    if rest.starts_with(['/', '\\']) {
        return None;
    }
    let url = Url::parse(&format!("http://{rest}")).ok()?;
    // What looks like one host and is another: `example.com@other.example`.
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    match url.host()? {
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(format!("[{address}]")),
        Host::Domain(name) => domain(name),
    }
}

fn domain(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    if name.len() > HOST_MAX || !name.split('.').all(is_label) {
        return None;
    }
    Some(without_www(name).to_owned())
}

fn without_www(name: &str) -> &str {
    // `www.com` is a site of its own.
    let bare = name.strip_prefix("www.").filter(|rest| rest.contains('.'));
    bare.unwrap_or(name)
}

/// Whether a normalized host is a machine or a network of one's own.
pub fn is_local(host: &str) -> bool {
    if let Some(address) = address(host) {
        return match address {
            IpAddr::V4(address) => is_private_v4(address),
            IpAddr::V6(address) => is_private_v6(address),
        };
    }
    let last = host.rsplit('.').next().unwrap_or(host);
    LOCAL.contains(&last)
}

fn address(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse().ok()
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_private_v4(inner);
    }
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

/// Whether a normalized host is one of these, with or without `www.`; `*.` in front stands for all
/// below, and what is below `www.example.com` is not all that is below `example.com`.
pub fn is_staging(host: &str, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| {
        pattern.strip_prefix("*.").map_or_else(
            || host == without_www(pattern),
            |parent| {
                host.strip_suffix(parent)
                    .is_some_and(|below| below.len() > 1 && below.ends_with('.'))
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_site_has_one_identity_however_it_is_written() {
        let table = [
            ("Example.com", "example.com"),
            ("https://www.example.com:8443/path?x#y", "example.com"),
            ("example.com.", "example.com"),
            ("WWW.EXAMPLE.COM", "example.com"),
            ("www.com", "www.com"),
            ("www.co.uk.", "co.uk"),
            ("shop.example.com", "shop.example.com"),
            ("example.com:443", "example.com"),
            ("ftp://example.com/x", "example.com"),
            ("bücher.de", "xn--bcher-kva.de"),
            ("BÜCHER.de", "xn--bcher-kva.de"),
            ("bu\u{308}cher.de", "xn--bcher-kva.de"),
            ("xn--bcher-kva.de", "xn--bcher-kva.de"),
            ("faß.de", "xn--fa-hia.de"),
            // Full-width letters and the ideographic full stop mean the same host.
            ("ｅｘａｍｐｌｅ\u{3002}ｃｏｍ", "example.com"),
            ("ex%61mple.com", "example.com"),
            ("exam\u{ad}ple.com", "example.com"),
            ("192.0.2.7:8080", "192.0.2.7"),
            ("0xC0.0.2.7", "192.0.2.7"),
            ("3221225991", "192.0.2.7"),
            ("2001:DB8::1", "[2001:db8::1]"),
            ("http://[2001:db8:0:0::1]:80/", "[2001:db8::1]"),
            ("my_host.example.com", "my_host.example.com"),
        ];
        for (written, site) in table {
            assert_eq!(host(written).as_deref(), Some(site), "{written}");
        }
    }

    #[test]
    fn letters_that_look_alike_are_other_sites_and_show_it() {
        for look_alike in ["ехample.com", "eхample.com", "exаmple.com", "examрle.com"] {
            let site = host(look_alike).unwrap();
            assert!(site.starts_with("xn--") && site.is_ascii(), "{site}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "not a host",
            "example..com",
            "example.com..",
            ".",
            "..",
            ":80",
            "http://",
            "a*b.com",
            "good.example@evil.com",
            "http://user:word@example.com",
            "exa<mple.com",
            "[::1",
            "1.2.3.4.5",
            "256.1.1.1",
            "xn--a.com",
            "a:b:c",
            "/etc/passwd",
        ] {
            assert_eq!(host(text), None, "{text}");
        }
        assert_eq!(host(&format!("{}.com", "a".repeat(64))), None);
        assert_eq!(host(&"abc.".repeat(64)), None);
    }

    #[test]
    fn sites_of_ones_own_use_no_seat() {
        for text in [
            "localhost",
            "localhost:3000",
            "LOCALHOST.",
            "app.localhost",
            "printer.local",
            "shop.test",
            "shop.example",
            "x.invalid",
            "127.0.0.1",
            "127.8.9.1",
            "127.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.10",
            "169.254.3.4",
            "::1",
            "[::1]:8080",
            "fe80::1",
            "fd12:3456::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_local(&host(text).unwrap()), "{text}");
        }
        for text in [
            "example.com",
            "localhost.com",
            "notlocalhost",
            "local.dev",
            "test.com",
            "mytest",
            "127.0.0.1.nip.io",
            "172.15.0.1",
            "172.32.0.1",
            "192.169.1.1",
            "11.0.0.1",
            "8.8.8.8",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            "fec0::1",
        ] {
            assert!(!is_local(&host(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn staging_patterns_hold_below_their_star_only() {
        let patterns = [
            "*.staging.example.com".to_owned(),
            "dev.example.com".to_owned(),
        ];
        for host in [
            "a.staging.example.com",
            "a.b.staging.example.com",
            "dev.example.com",
        ] {
            assert!(is_staging(host, &patterns), "{host}");
        }
        for host in [
            "staging.example.com",
            "astaging.example.com",
            ".staging.example.com",
            "a.dev.example.com",
            "example.com",
        ] {
            assert!(!is_staging(host, &patterns), "{host}");
        }
    }

    #[test]
    fn a_staging_host_is_the_same_site_with_www_and_without() {
        let patterns = [
            "www.staging.example.com".to_owned(),
            "*.www.dev.example.com".to_owned(),
            "www.com".to_owned(),
        ];
        for written in [
            "www.staging.example.com",
            "staging.example.com",
            "a.www.dev.example.com",
            "www.com",
        ] {
            let site = host(written).unwrap();
            assert!(is_staging(&site, &patterns), "{written}");
        }
        for written in ["a.dev.example.com", "www.dev.example.com", "a.com"] {
            let site = host(written).unwrap();
            assert!(!is_staging(&site, &patterns), "{written}");
        }
    }
}
