//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::X_FORWARDED_FOR;
use ipnet::IpNet;

use crate::app::App;

/// The address of the client: the peer, or, where the peer is a trusted proxy, the last address in
/// `X-Forwarded-For` that is none. What stands before that, anybody may have written.
pub fn client_address(app: &App, request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let lines = request.headers().get_all(X_FORWARDED_FOR);
    // A line that is no text ends the way back.
    let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap_or("?")).collect();
    nearest_untrusted(peer, &lines, &app.config.trusted_proxies)
}

fn nearest_untrusted(peer: IpAddr, lines: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut nearest = peer.to_canonical();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops {
        if !is_trusted(&nearest) {
            break;
        }
        match address(hop.trim()) {
            Some(before) => nearest = before,
            None => break,
        }
    }
    nearest
}

/// An address, some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let plain = bare.parse().ok();
    let with_port = || text.parse().ok().map(|socket: SocketAddr| socket.ip());
    plain
        .or_else(with_port)
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        nearest_untrusted(peer.parse().unwrap(), lines, &trusted).to_string()
    }

    #[test]
    fn without_trusted_proxies_the_peer_is_the_client() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            client("192.0.2.1", &["198.51.100.7"], &trusted),
            "192.0.2.1"
        );
    }

    #[test]
    fn a_trusted_proxy_names_the_client_and_nothing_before_it_counts() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        for (lines, expected) in [
            (&["198.51.100.7"][..], "198.51.100.7"),
            (&["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (&["1.1.1.1", "198.51.100.7,10.0.0.2"], "198.51.100.7"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["::ffff:198.51.100.7, fd00::1"], "198.51.100.7"),
            // Written by nobody we trust, or by nobody at all.
            (&["198.51.100.7, unknown"], "10.0.0.1"),
            (&["198.51.100.7, , 10.0.0.2"], "10.0.0.2"),
            (&["198.51.100.7", "?"], "10.0.0.1"),
            (&[], "10.0.0.1"),
            (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            assert_eq!(client("10.0.0.1", lines, &trusted), expected, "{lines:?}");
            assert_eq!(
                client("::ffff:10.0.0.1", lines, &trusted),
                expected,
                "{lines:?}"
            );
        }
    }
}
