//! Writes every page and mail with sample values into a folder, to look at them in a browser:
//! `cargo run -p kitward-portal --example preview -- FOLDER`.

use std::error::Error;
use std::fs;
use std::path::Path;

use kitward_portal::mail::{AdvisoryMail, LicenseIssuedMail, NewVersionsMail, SignInMail};
use kitward_portal::{Theme, assets, pages};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("static"))?;
    for asset in assets() {
        fs::write(folder.join(asset.path.trim_start_matches('/')), asset.bytes)?;
    }
    for theme in Theme::ALL {
        for (name, html) in pages::gallery(theme) {
            let html = html.replace("\"/static/", "\"static/");
            fs::write(folder.join(format!("{name}-{}.html", theme.value())), html)?;
        }
    }
    let mails = [
        ("mail-sign-in", SignInMail::sample().render()),
        ("mail-license", LicenseIssuedMail::sample().render()),
        (
            "mail-licenses",
            LicenseIssuedMail::sample_several().render(),
        ),
        ("mail-new-version", NewVersionsMail::sample().render()),
        (
            "mail-new-versions",
            NewVersionsMail::sample_several().render(),
        ),
        ("mail-advisory", AdvisoryMail::sample().render()),
        (
            "mail-advisory-locked",
            AdvisoryMail::sample_locked().render(),
        ),
    ];
    for (name, mail) in mails {
        fs::write(folder.join(format!("{name}.html")), mail.html)?;
        fs::write(folder.join(format!("{name}.txt")), mail.text)?;
    }
    Ok(())
}
