mod events;
mod faults;
mod sessions;

use std::net::SocketAddr;

use kitward_fakes::{Checkout, CheckoutLine, FakeStripe};
use stripe::{Client, ClientBuilder};

use crate::{Outcome, http};

const KEY: &str = "Authorization: Bearer sk_test_x\r\n";

fn client(stripe: &FakeStripe) -> Outcome<Client> {
    Ok(ClientBuilder::new("sk_test_x")
        .url(stripe.base_url())
        .build()?)
}

fn address(stripe: &FakeStripe) -> Outcome<SocketAddr> {
    let url = stripe.base_url();
    let address = url
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_suffix('/'));
    Ok(address.ok_or("not an address")?.parse()?)
}

async fn get(stripe: &FakeStripe, path: &str, headers: &str) -> Outcome<http::Answer> {
    http::get(address(stripe)?, path, &format!("Host: api\r\n{headers}")).await
}

fn many_lines(count: usize) -> Checkout {
    Checkout {
        lines: vec![CheckoutLine::default(); count],
        ..Checkout::default()
    }
}
