//! Every other way in to what a case has: names beside a file, tokens, shorter addresses, comparisons, the
//! portal, and open kits without a key.

use std::collections::BTreeSet;

use kitward_tests::Actor;
use proptest::test_runner::TestCaseError;
use serde_json::Value;

use super::expected::{Case, FOLLOWED, MAJORS, VERSIONS, follows};
use super::{Played, Stage, equal, highest_first, versions};

/// What both of two releases answer together.
fn both(from: u16, to: u16) -> u16 {
    if from == 200 { to } else { from }
}

impl Stage {
    /// The names beside a file, and the file by a token that is derived from the key.
    pub(super) async fn check_names(
        &self,
        case: &Case,
        played: &Played,
        at: usize,
    ) -> Result<(), TestCaseError> {
        let (kit, version) = (&played.kit, VERSIONS[at]);
        let file = format!("/v1/kits/{kit}/releases/{version}/artifacts/kit.zip");
        let expected = case.status(at);
        let key = self.app.kit(&played.key);
        for ending in [".sha256", ".minisig"] {
            let beside = format!("{file}{ending}");
            equal(&beside, key.get(&beside).await.status, expected)?;
        }
        let in_header = self.app.kit(&played.token).get(&file).await;
        equal("by a token", in_header.status, expected)?;
        let in_path = format!("/k/{}{file}", played.token);
        let in_path = self.app.anonymous().get(&in_path).await;
        equal("by a token in the path", in_path.status, expected)
    }

    /// Addresses that mean the highest of some versions.
    pub(super) async fn check_selectors(
        &self,
        case: &Case,
        played: &Played,
    ) -> Result<(), TestCaseError> {
        let kit = self.app.kit(&played.key);
        for selector in ["latest", "0", "1", "2", "1.0", "1.2", "2.0"] {
            let path = format!("/v1/kits/{}/releases/{selector}", played.kit);
            let reply = kit.get(&path).await;
            let found = match reply.status {
                200 => Ok(reply.str("/version")),
                status => Err(status),
            };
            let expected = case.selected(selector);
            let wanted = expected.map(|at| VERSIONS[at].to_owned());
            equal(&path, found, wanted)?;
            let file = kit.get(&format!("{path}/artifacts/source")).await;
            let status = expected.err().unwrap_or(302);
            equal("the file by its kind", file.status, status)?;
            if let Ok(at) = expected {
                let stable = format!("/releases/{}/artifacts/kit.zip", VERSIONS[at]);
                let leads_there = file.header("location").ends_with(&stable);
                equal("to the stable address", leads_there, true)?;
                equal("named, so listed", case.is_listed(at), true)?;
            }
        }
        Ok(())
    }

    /// From each release to the next one.
    pub(super) async fn check_comparisons(
        &self,
        case: &Case,
        played: &Played,
    ) -> Result<(), TestCaseError> {
        let (kit, anybody) = (self.app.kit(&played.key), self.app.anonymous());
        for (from, to) in (0..).zip(1..case.releases.len()) {
            let (old, new) = (VERSIONS[from], VERSIONS[to]);
            let path = format!("/v1/kits/{}/compare/{old}...{new}", played.kit);
            let expected = both(case.status(from), case.status(to));
            equal(&path, kit.get(&path).await.status, expected)?;
            let as_patch = format!("{path}.patch");
            equal(&as_patch, kit.get(&as_patch).await.status, expected)?;
            let open = both(case.open_status(from), case.open_status(to));
            equal("anybody's", anybody.get(&path).await.status, open)?;
        }
        Ok(())
    }

    /// The comparison that an offer names can be had, and is named where the version in use may be.
    pub(super) async fn check_compare_url(
        &self,
        case: &Case,
        played: &Played,
        present: &str,
        offer: &Value,
    ) -> Result<(), TestCaseError> {
        let mut all = 0..case.releases.len();
        let in_use = all.find(|at| VERSIONS[*at] == present);
        let is_had = in_use.is_some_and(|at| case.status(at) == 200);
        let address = offer["compare_url"].as_str();
        equal("a comparison is named", address.is_some(), is_had)?;
        if let Some(address) = address {
            let compared = self.app.kit(&played.key).get(address).await;
            equal(address, compared.status, 200)?;
        }
        Ok(())
    }

    /// Buttons stand where a release is listed, on its channel, and nowhere else.
    pub(super) async fn check_portal(
        &self,
        case: &Case,
        played: &Played,
    ) -> Result<(), TestCaseError> {
        for (channel, major) in [("alpha", 0), ("alpha", 1), ("alpha", 2), ("dev", 2)] {
            let kit = &played.kit;
            let path = format!("/downloads?kit={kit}&channel={channel}&major={major}");
            let page = played.browser.get(&path).await.expect_status(200).text();
            let buttons = page.split("action=\"/downloads/").skip(1);
            let artifacts = buttons.filter_map(|rest| rest.split('"').next());
            let found: BTreeSet<&str> = artifacts.collect();
            let is_shown =
                |at: &usize| case.is_listed(*at) && follows(channel, *at) && MAJORS[*at] == major;
            let shown = (0..case.releases.len()).filter(is_shown);
            let artifact = |at: usize| played.releases[at].1.as_str();
            let expected: BTreeSet<&str> = shown.map(artifact).collect();
            equal(&path, found, expected)?;
        }
        Ok(())
    }

    /// The list and the update check for who shows no key.
    pub(super) async fn check_anybody(
        &self,
        case: &Case,
        played: &Played,
    ) -> Result<(), TestCaseError> {
        let anybody = self.app.anonymous();
        let list = format!("/v1/kits/{}/releases?limit=100", played.kit);
        let updates = format!("/v1/kits/{}/updates?version=0.1.0", played.kit);
        if !case.is_open {
            equal(&list, anybody.get(&list).await.status, 401)?;
            return equal(&updates, anybody.get(&updates).await.status, 401);
        }
        let found = versions(&anybody.get(&list).await.expect_status(200));
        let listed = highest_first(case, |at| case.is_open_listed(at));
        equal(&list, found, listed)?;
        for channel in FOLLOWED {
            for manual in [false, true] {
                let path = format!("{updates}&channel={channel}&manual={manual}");
                let best = case.open_best("0.1.0", channel, manual);
                let best = best.map(|at| VERSIONS[at].to_owned());
                equal(&path, offered(&anybody, &path).await, best)?;
            }
        }
        Ok(())
    }
}

async fn offered(actor: &Actor, path: &str) -> Option<String> {
    let answer = actor.get(path).await.expect_status(200).json();
    answer["release"]["version"].as_str().map(str::to_owned)
}
