//! What stands around every page: vendor, navigation, theme, help.

use chrono::{DateTime, TimeZone, Utc};

use crate::dates::Moment;
use crate::links;

/// Light, dark, or as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Every theme, in the order of the switch.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value that `POST /theme` gets and the cookie keeps.
    pub fn value(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of a value, if it is one.
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.value() == value)
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::System => "Use the system's theme",
            Self::Light => "Use the light theme",
            Self::Dark => "Use the dark theme",
        }
    }

    pub(crate) fn schemes(self) -> &'static str {
        match self {
            Self::System => "light dark",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Which entry of the navigation is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NavItem {
    /// None of them.
    None,
    /// Licenses, `/`.
    Licenses,
    /// Downloads, `/downloads`.
    Downloads,
    /// Updates, `/updates`.
    Updates,
}

/// What every page needs besides its own values.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The vendor's name.
    pub vendor_name: String,
    /// Where customers get help.
    pub support_email: Option<String>,
    /// The theme chosen by the viewer.
    pub theme: Theme,
    /// Who is signed in; the navigation shows only then.
    pub signed_in_email: Option<String>,
    /// The time of the answer, from which relative dates count.
    pub now: DateTime<Utc>,
    /// The current entry of the navigation.
    pub current: NavItem,
    /// The vendor's hue, 0 to 359 degrees in OKLCH; rounded to steps of ten.
    pub brand_hue: u16,
    /// Id of the request, for support.
    pub request_id: Option<String>,
    /// Path of this page, to come back to after the theme was switched without JavaScript.
    pub path: String,
}

impl Frame {
    /// A frame with sample values, signed in.
    pub fn sample() -> Self {
        Self {
            vendor_name: "Example Kits".to_owned(),
            support_email: Some("support@example.com".to_owned()),
            theme: Theme::System,
            signed_in_email: Some("buyer@example.com".to_owned()),
            now: Utc
                .with_ymd_and_hms(2026, 11, 20, 12, 0, 0)
                .single()
                .unwrap_or_default(),
            current: NavItem::None,
            brand_hue: 262,
            request_id: None,
            path: "/".to_owned(),
        }
    }

    /// A frame with sample values, signed out.
    pub fn sample_signed_out() -> Self {
        Self {
            signed_in_email: None,
            ..Self::sample()
        }
    }

    pub(crate) fn moment(&self, at: &DateTime<Utc>) -> Moment {
        Moment::new(*at, self.now)
    }

    /// One of the 36 hues that the style sheet knows.
    pub(crate) fn hue(&self) -> u16 {
        (self.brand_hue % 360 + 5) / 10 % 36 * 10
    }

    pub(crate) fn mark(&self) -> char {
        let first = self.vendor_name.chars().find(|c| c.is_alphanumeric());
        first.map_or('K', |c| c.to_uppercase().next().unwrap_or(c))
    }

    pub(crate) fn support_link(&self) -> Option<String> {
        let email = self.support_email.as_deref()?;
        Some(format!("mailto:{}", links::encode(email)))
    }

    pub(crate) fn return_path(&self) -> &str {
        links::local_path(&self.path).unwrap_or("/")
    }

    pub(crate) fn current_licenses(&self) -> bool {
        self.current == NavItem::Licenses
    }

    pub(crate) fn current_downloads(&self) -> bool {
        self.current == NavItem::Downloads
    }

    pub(crate) fn current_updates(&self) -> bool {
        self.current == NavItem::Updates
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Theme};

    #[test]
    fn a_hue_is_rounded_to_one_of_the_style_sheet() {
        for (given, expected) in [
            (0, 0),
            (4, 0),
            (5, 10),
            (262, 260),
            (355, 0),
            (359, 0),
            (721, 0),
        ] {
            let frame = Frame {
                brand_hue: given,
                ..Frame::sample()
            };
            assert_eq!(frame.hue(), expected, "{given}");
        }
    }

    #[test]
    fn a_theme_is_read_from_its_own_value_only() {
        for theme in Theme::ALL {
            assert_eq!(Theme::parse(theme.value()), Some(theme));
        }
        assert_eq!(Theme::parse("neon"), None);
    }
}
