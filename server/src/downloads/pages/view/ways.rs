//! Ways from one list of releases to another.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use kitward_portal::pages::PageLink;

use super::{Choice, Row};
use crate::downloads::listing::KitListing;
use crate::downloads::model::path_segment;
use crate::releases::model::Channel;

pub(super) fn majors(
    listing: &KitListing,
    rows: &[Row<'_>],
    channel: Channel,
    current: u64,
) -> Vec<PageLink> {
    let all: BTreeSet<Reverse<u64>> = rows.iter().map(|(it, _)| Reverse(it.major)).collect();
    let link = |Reverse(major): &Reverse<u64>| {
        let mut own = rows.iter().filter(|(version, _)| version.major == *major);
        let locked = own.all(|(_, it)| it.opened_by.is_none());
        PageLink {
            label: format!("Version {major}{}", if locked { " (locked)" } else { "" }),
            href: address(
                listing,
                &Choice {
                    major: Some(*major),
                    channel: Some(channel),
                    after: None,
                },
            ),
            is_current: *major == current,
        }
    };
    if all.len() < 2 {
        Vec::new()
    } else {
        all.iter().map(link).collect()
    }
}

pub(super) fn channels(listing: &KitListing, current: Channel) -> Vec<PageLink> {
    let all: BTreeSet<Channel> = listing
        .releases
        .iter()
        .map(|it| it.release.channel)
        .collect();
    let link = |channel: &Channel| PageLink {
        label: match channel {
            Channel::Stable => "Stable".to_owned(),
            Channel::Dev => "Development builds".to_owned(),
            Channel::Rc | Channel::Beta | Channel::Alpha => format!("Also {channel}"),
        },
        href: address(
            listing,
            &Choice {
                channel: Some(*channel),
                ..Choice::default()
            },
        ),
        is_current: *channel == current,
    };
    if all.len() < 2 {
        Vec::new()
    } else {
        all.iter().map(link).collect()
    }
}

pub(super) fn address(listing: &KitListing, choice: &Choice) -> String {
    let mut address = format!("/downloads?kit={}", path_segment(&listing.kit.slug));
    let parts = [
        ("channel", choice.channel.map(|channel| channel.to_string())),
        ("major", choice.major.map(|major| major.to_string())),
        ("after", choice.after.clone()),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(address, "&{name}={}", path_segment(&value));
        }
    }
    address
}
