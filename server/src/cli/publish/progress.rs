//! How far a run is: bars on a terminal, lines elsewhere, nothing for programs.

use std::io::IsTerminal as _;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::super::output::Output;

const SENDING: &str = "{prefix}  {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const HASHING: &str = "{prefix}  {spinner} checking";

/// Where to show it.
#[derive(Debug)]
pub(in super::super) enum Progress {
    Bars(MultiProgress),
    Lines(Output),
    Silent,
}

/// One file of it.
#[derive(Debug)]
pub(super) struct FileProgress {
    bar: Option<ProgressBar>,
    lines: Option<(Output, String)>,
}

/// A bar that goes with this value.
#[derive(Debug)]
pub(super) struct Shown(Option<ProgressBar>);

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Progress {
    pub(in super::super) fn new(output: Output) -> Self {
        if output.is_json() {
            Self::Silent
        } else if std::io::stderr().is_terminal() {
            Self::Bars(MultiProgress::new())
        } else {
            Self::Lines(output)
        }
    }

    #[cfg_attr(
        not(feature = "demo"),
        expect(dead_code, reason = "only the sample vendor publishes without a word")
    )]
    pub(in super::super) fn silent() -> Self {
        Self::Silent
    }

    /// A file is being hashed.
    pub(super) fn hashing(&self, name: &str) -> Shown {
        let Self::Bars(bars) = self else {
            return Shown(None);
        };
        let bar = bars.add(ProgressBar::new_spinner().with_prefix(name.to_owned()));
        bar.set_style(style(HASHING));
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Shown(Some(bar))
    }

    /// A file is being sent, of which the server holds some bytes.
    pub(super) fn sending(&self, name: &str, size: u64, held: u64) -> FileProgress {
        match self {
            Self::Bars(bars) => {
                let bar = bars.add(ProgressBar::new(size).with_prefix(name.to_owned()));
                bar.set_style(style(SENDING));
                // What is there already says nothing about the speed.
                bar.set_position(held);
                bar.reset_eta();
                FileProgress {
                    bar: Some(bar),
                    lines: None,
                }
            }
            Self::Lines(output) => {
                let what = match held {
                    0 => format!("{name}: sending {size} bytes"),
                    held => format!("{name}: {held} of {size} bytes are there, sending the rest"),
                };
                output.note(&what);
                FileProgress {
                    bar: None,
                    lines: Some((*output, name.to_owned())),
                }
            }
            Self::Silent => FileProgress {
                bar: None,
                lines: None,
            },
        }
    }

    /// Nothing of a file need be sent.
    pub(super) fn present(&self, name: &str) {
        self.note(&format!("{name}: there already"));
    }

    /// Something to know.
    pub(super) fn note(&self, what: &str) {
        match self {
            Self::Bars(bars) => {
                // A terminal that went away is no failure.
                let _ = bars.println(what);
            }
            Self::Lines(output) => output.note(what),
            Self::Silent => {}
        }
    }
}

impl FileProgress {
    pub(super) fn sent(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    pub(super) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
        if let Some((output, name)) = &self.lines {
            output.note(&format!("{name}: done"));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_bad| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_ones() {
        for template in [SENDING, HASHING] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
