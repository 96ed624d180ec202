//! The mail after a purchase: keys and first steps.

use askama::Template;

use super::{Rendered, greeting, name, part, subject};
use crate::wording::{join_names, one_line};

/// Sent when an order made licenses.
#[derive(Debug, Clone)]
pub struct LicenseIssuedMail {
    /// The vendor's name.
    pub vendor_name: String,
    /// The buyer's name as the payment provider has it.
    pub customer_name: Option<String>,
    /// One entry per license.
    pub items: Vec<IssuedItem>,
    /// Address of the portal.
    pub portal_url: String,
    /// The order's reference.
    pub order_ref: String,
    /// What to do first, in order.
    pub first_steps: Vec<FirstStep>,
    /// Where customers get help.
    pub support_email: Option<String>,
}

/// One license that was issued.
#[derive(Debug, Clone)]
pub struct IssuedItem {
    /// Names of the kits it covers.
    pub kit_names: Vec<String>,
    /// Edition bought.
    pub edition: String,
    /// The whole key.
    pub key: String,
}

/// One step in words, with a command to copy if there is one.
#[derive(Debug, Clone)]
pub struct FirstStep {
    /// One sentence.
    pub text: String,
    /// A command; its line breaks are kept.
    pub command: Option<String>,
}

struct View {
    vendor: String,
    greeting: String,
    items: Vec<ItemView>,
    steps: Vec<StepView>,
    portal: String,
    order: String,
    support: Option<String>,
}

struct ItemView {
    kits: String,
    edition: String,
    key: String,
}

struct StepView {
    text: String,
    command: Vec<String>,
}

#[derive(Template)]
#[template(path = "mail/license_issued.txt", whitespace = "preserve")]
struct Text<'a> {
    mail: &'a View,
}

#[derive(Template)]
#[template(path = "mail/license_issued.html")]
struct Html<'a> {
    mail: &'a View,
}

impl View {
    fn keys(&self) -> &'static str {
        if self.items.len() == 1 {
            "license key"
        } else {
            "license keys"
        }
    }
}

impl LicenseIssuedMail {
    /// Subject, text and HTML.
    pub fn render(&self) -> Rendered {
        let mail = &self.view();
        Rendered {
            subject: subject(&self.title(mail)),
            text: part(Text { mail }.render()),
            html: part(Html { mail }.render()),
        }
    }

    fn title(&self, mail: &View) -> String {
        match mail.items.as_slice() {
            [one] => format!("Your license key for {}", one.kits),
            _ => format!(
                "Your {} license keys from {}",
                self.items.len(),
                mail.vendor
            ),
        }
    }

    fn view(&self) -> View {
        View {
            vendor: name(&self.vendor_name),
            greeting: greeting(self.customer_name.as_deref()),
            items: self.items.iter().map(IssuedItem::view).collect(),
            steps: self.first_steps.iter().map(FirstStep::view).collect(),
            portal: one_line(&self.portal_url),
            order: one_line(&self.order_ref),
            support: self.support_email.as_deref().map(one_line),
        }
    }

    /// Sample values: one license.
    pub fn sample() -> Self {
        let key = "kwl_AZM3n2cAcQ2a7vT1kYw0JmZ4c2FtcGxlLWtleS1ub3RoaW5nLXNpZ25lZDlRS1gyTQ";
        Self {
            vendor_name: "Example Kits".to_owned(),
            customer_name: Some("Example Ltd".to_owned()),
            items: vec![IssuedItem {
                kit_names: vec!["Feedback Widget Kit".to_owned()],
                edition: "Team".to_owned(),
                key: key.to_owned(),
            }],
            portal_url: "https://licenses.example.com/".to_owned(),
            order_ref: "A-1042".to_owned(),
            first_steps: vec![
                FirstStep {
                    text: "Put the key where your build can read it.".to_owned(),
                    command: Some(format!("export KIT_KEY={key}")),
                },
                FirstStep {
                    text: "Take the first seat.".to_owned(),
                    command: Some(
                        "curl https://licenses.example.com/v1/licenses/activate \\\n  --json '{\"key\":\"'$KIT_KEY'\",\"kit\":\"feedback-widget\",\"device\":\"my-laptop\"}'"
                            .to_owned(),
                    ),
                },
            ],
            support_email: Some("support@example.com".to_owned()),
        }
    }

    /// Sample values: two licenses, no name, no steps.
    pub fn sample_several() -> Self {
        let one = Self::sample();
        let mut items = one.items.clone();
        items.push(IssuedItem {
            kit_names: vec!["Changelog Kit".to_owned(), "Feature Flags Kit".to_owned()],
            edition: "Personal".to_owned(),
            key: "kwl_AZM3n2cBcR3b8wU2lZx1KnA5sample4T7W2C".to_owned(),
        });
        Self {
            customer_name: None,
            items,
            first_steps: Vec::new(),
            support_email: None,
            ..one
        }
    }
}

impl IssuedItem {
    fn view(&self) -> ItemView {
        ItemView {
            kits: one_line(&join_names(&self.kit_names)),
            edition: one_line(&self.edition),
            key: one_line(&self.key),
        }
    }
}

impl FirstStep {
    fn view(&self) -> StepView {
        StepView {
            text: one_line(&self.text),
            command: self
                .command
                .iter()
                .flat_map(|command| command.lines())
                .map(|line| line.trim_end().replace(|c: char| c.is_control(), " "))
                .collect(),
        }
    }
}
