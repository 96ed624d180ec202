//! What the demo prints.

use serde_json::{Value, json};

/// The kit that was bought.
pub(super) struct Kit {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) file: String,
}

pub(super) struct Walkthrough {
    pub(super) origin: String,
    pub(super) inbox: String,
    pub(super) link: String,
    pub(super) key: String,
    pub(super) kit: Kit,
}

impl Walkthrough {
    fn call(&self, verb: &str) -> String {
        let Self {
            origin, key, kit, ..
        } = self;
        format!(
            "curl -sS {origin}/v1/licenses/{verb} -H 'Content-Type: application/json' \\\n    \
             -d '{{\"key\":\"{key}\",\"kit\":\"{}\",\"device\":\"my-laptop\"}}'",
            kit.slug
        )
    }

    fn update(&self) -> String {
        let Self {
            origin, key, kit, ..
        } = self;
        format!(
            "curl -sS '{origin}/v1/kits/{}/updates?version=0.9.0' \\\n    \
             -H 'Authorization: License {key}'",
            kit.slug
        )
    }

    fn download(&self) -> String {
        let Self {
            origin, key, kit, ..
        } = self;
        format!(
            "curl -fLO -H 'Authorization: License {key}' \\\n    \
             {origin}/v1/kits/{}/releases/latest/artifacts/{}",
            kit.slug, kit.file
        )
    }

    fn keys(&self) -> String {
        format!("curl -sS {}/.well-known/jwks.json", self.origin)
    }

    pub(super) fn text(&self) -> String {
        let Self {
            origin,
            inbox,
            link,
            key,
            kit,
        } = self;
        format!(
            "Kitward is serving a sample vendor at {origin}\n\
             Everything lies in a temporary folder and is gone when you press Ctrl-C.\n\
             \n\
             A signed payment event came in, was fetched from the payment provider (a stand-in on\n\
             this machine) and became an order, a license for the {name} and a mail.\n\
             \n\
             Portal:       {link}\n\
             \x20             (signs in as {buyer}, once, within 10 minutes)\n\
             License key:  {key}\n\
             Mail inbox:   {inbox}\n\
             \n\
             Activate a device (takes one of 3 seats; again, it finds the same seat):\n\n  {activate}\n\n\
             Validate without taking a seat:\n\n  {validate}\n\n\
             Check for updates:\n\n  {update}\n\n\
             Download the newest release:\n\n  {download}\n\n\
             Public keys, to verify \"license_file\", \"verdict\" and \"manifest\" offline (any JOSE library):\n\n  {keys}\n",
            name = kit.name,
            buyer = super::shop::BUYER,
            activate = self.call("activate"),
            validate = self.call("validate"),
            update = self.update(),
            download = self.download(),
            keys = self.keys(),
        )
    }

    pub(super) fn value(&self) -> Value {
        json!({
            "url": self.origin,
            "portal": self.link,
            "license_key": self.key,
            "mail_inbox": self.inbox,
            "kit": self.kit.slug,
            "activate": self.call("activate"),
            "validate": self.call("validate"),
            "update_check": self.update(),
            "download": self.download(),
            "public_keys": self.keys(),
        })
    }
}
