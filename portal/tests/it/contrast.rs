//! Contrast of every pair of colors that may meet, in both schemes and for every hue.

use kitward_portal::assets;

/// Text, and what it may stand on.
const TEXT: &[(&str, &[&str])] = &[
    (
        "text",
        &[
            "bg",
            "surface",
            "sunken",
            "ok-soft",
            "info-soft",
            "danger-soft",
        ],
    ),
    ("muted", &["bg", "surface", "sunken"]),
    ("accent", &["bg", "surface", "sunken"]),
    ("accent-strong", &["bg", "surface", "sunken", "accent-soft"]),
    ("on-accent", &["accent", "accent-strong"]),
    ("ok", &["ok-soft", "surface"]),
    ("info", &["info-soft", "surface"]),
    ("warn", &["warn-soft", "surface"]),
    ("danger", &["danger-soft", "surface"]),
];

/// Borders of controls, focus rings and meters, and what they may stand on.
const CONTROLS: &[(&str, &[&str])] = &[
    (
        "edge",
        &[
            "bg",
            "surface",
            "sunken",
            "ok-soft",
            "info-soft",
            "danger-soft",
        ],
    ),
    (
        "focus",
        &[
            "bg",
            "surface",
            "sunken",
            "accent-soft",
            "ok-soft",
            "info-soft",
            "danger-soft",
        ],
    ),
    ("accent", &["bg", "surface", "sunken"]),
    ("danger", &["surface", "sunken"]),
];

type Oklch = [f64; 3];

fn css() -> &'static str {
    let css = assets()
        .iter()
        .find(|asset| asset.content_type.starts_with("text/css"))
        .expect("embedded");
    std::str::from_utf8(css.bytes).expect("text")
}

/// The `scheme`th color (0 light, 1 dark) of a token.
fn token(name: &str, scheme: usize, hue: f64) -> Oklch {
    let start = format!("--{name}: light-dark(");
    let (_, after) = css()
        .split_once(&start)
        .unwrap_or_else(|| panic!("no token {name}"));
    let (line, _) = after.split_once(';').expect("a declaration ends");
    let color = line.split("oklch(").nth(scheme + 1).expect("two colors");
    let color = color.replace("var(--hue)", &hue.to_string());
    let (color, _) = color.split_once(')').expect("a color ends");
    let mut parts = color.split_whitespace();
    let mut part = || parts.next().expect("three parts").to_owned();
    let (light, chroma, angle) = (part(), part(), part());
    [
        light
            .strip_suffix('%')
            .expect("percent")
            .parse::<f64>()
            .expect("number")
            / 100.0,
        chroma.parse().expect("number"),
        angle.parse().expect("number"),
    ]
}

fn linear_srgb([light, chroma, angle]: Oklch) -> [f64; 3] {
    let (sin, cos) = angle.to_radians().sin_cos();
    let (green_red, blue_yellow) = (chroma * cos, chroma * sin);
    let long = (light + 0.396_337_777_4 * green_red + 0.215_803_757_3 * blue_yellow).powi(3);
    let medium = (light - 0.105_561_345_8 * green_red - 0.063_854_172_8 * blue_yellow).powi(3);
    let short = (light - 0.089_484_177_5 * green_red - 1.291_485_548_0 * blue_yellow).powi(3);
    [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
    ]
}

/// Luminance where the browser cuts each channel off at the edge of sRGB.
fn clipped(color: Oklch) -> f64 {
    let [red, green, blue] = linear_srgb(color).map(displayed);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// As a screen of 8 bits shows it.
fn displayed(linear: f64) -> f64 {
    let linear = linear.clamp(0.0, 1.0);
    let encoded = if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    let shown = (encoded * 255.0).round() / 255.0;
    if shown <= 0.040_45 {
        shown / 12.92
    } else {
        ((shown + 0.055) / 1.055).powf(2.4)
    }
}

/// Luminance where the browser takes chroma away until the color fits.
fn reduced([light, mut chroma, angle]: Oklch) -> f64 {
    while chroma > 0.0
        && linear_srgb([light, chroma, angle])
            .iter()
            .any(|channel| !(-0.0001..=1.0001).contains(channel))
    {
        chroma -= 0.001;
    }
    clipped([light, chroma.max(0.0), angle])
}

fn contrast(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn check(pairs: &[(&str, &[&str])], least: f64) {
    let mut failures = Vec::new();
    for (front, backs) in pairs {
        for back in *backs {
            for (scheme, scheme_name) in ["light", "dark"].into_iter().enumerate() {
                for hue in (0..360).step_by(10).map(f64::from) {
                    let (one, other) = (token(front, scheme, hue), token(back, scheme, hue));
                    let ratio = contrast(clipped(one), clipped(other))
                        .min(contrast(reduced(one), reduced(other)));
                    if ratio < least {
                        failures.push(format!(
                            "{front} on {back}, {scheme_name}, hue {hue}: {ratio:.2}"
                        ));
                    }
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "below {least}:\n{}",
        failures.join("\n")
    );
}

#[test]
fn the_conversion_agrees_with_known_colors() {
    assert!((clipped([1.0, 0.0, 0.0]) - 1.0).abs() < 0.001);
    assert!(clipped([0.0, 0.0, 0.0]) < 0.001);
    // sRGB red: oklch(62.8% 0.2577 29.23) has luminance 0.2126.
    assert!((clipped([0.627_96, 0.257_68, 29.234]) - 0.2126).abs() < 0.002);
    assert!((contrast(1.0, 0.0) - 21.0).abs() < 0.001);
}

#[test]
fn text_has_a_contrast_of_at_least_4_5_for_every_hue_in_both_schemes() {
    check(TEXT, 4.5);
}

#[test]
fn controls_have_a_contrast_of_at_least_3_for_every_hue_in_both_schemes() {
    check(CONTROLS, 3.0);
}

#[test]
fn every_color_token_is_checked() {
    let (root, _) = css().split_once("\n}\n").expect("the first rule");
    for line in root
        .lines()
        .filter(|line| line.contains("light-dark(oklch"))
    {
        let name = line.trim().trim_start_matches("--");
        let (name, _) = name.split_once(':').expect("a name");
        // A hairline between areas and a shadow carry no meaning.
        if matches!(name, "line" | "lift") {
            continue;
        }
        let used = TEXT
            .iter()
            .chain(CONTROLS)
            .any(|(front, backs)| *front == name || backs.contains(&name));
        assert!(used, "--{name} is in no pair");
    }
}
