//! What mail clients, word processors and terminals add to a pasted key, and how it is removed.

/// Lower case, without the characters that a key never holds but often gains on its way.
/// Tokens of a server are read in the same manner.
pub fn clean(text: &str) -> String {
    // Reserved at once, so that no part of the key stays behind in a smaller buffer.
    let mut cleaned = String::with_capacity(text.len());
    let kept = text.chars().filter(|character| !is_ignored(*character));
    cleaned.extend(kept.map(|character| character.to_ascii_lowercase()));
    cleaned
}

fn is_ignored(character: char) -> bool {
    // What keys are made of is told at once.
    if character.is_ascii_alphanumeric() {
        return false;
    }
    character.is_whitespace()
        || is_hyphen(character)
        || is_quote(character)
        || is_invisible(character)
}

/// Hyphens, dashes and the minus signs that replace them.
fn is_hyphen(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}

/// Straight and typographic quotes, back-tick and acute accent.
fn is_quote(character: char) -> bool {
    matches!(
        character,
        '\'' | '"' | '`' | '\u{b4}' | '\u{ab}' | '\u{bb}' | '\u{2018}'
            ..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{ff02}' | '\u{ff07}'
    )
}

/// Soft hyphen, zero-width and direction marks, byte order mark.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn what_a_pasted_key_gains_on_its_way_is_removed() {
        let pasted =
            "\u{feff}\u{201c}KWL_ab-c\u{2011}d\u{a0}\r\n\te\u{200b}f\u{ad}\u{3000}\u{201d} 'g'";
        assert_eq!(clean(pasted), "kwl_abcdefg");
    }

    #[test]
    fn letters_that_only_look_alike_stay_and_are_refused_later() {
        // Cyrillic a, Kelvin sign, full-width a.
        assert_eq!(clean("\u{430}\u{212a}\u{ff41}"), "\u{430}\u{212a}\u{ff41}");
    }
}
