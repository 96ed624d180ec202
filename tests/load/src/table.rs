//! The one table.

use crate::lines::{Bound, Line, Unit};

/// A figure in its unit.
fn figure(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Percent => format!("{:.1} %", value * 100.0),
        Unit::Times => format!("{value:.2} ×"),
        Unit::Micros => format!("{value:.1} µs"),
        Unit::Megabytes => format!("{value:.1} MB"),
    }
}

fn bound(line: &Line) -> String {
    match line.bound {
        Bound::AtLeast(least) => format!("≥ {}", figure(line.unit, least)),
        Bound::AtMost(most) => format!("≤ {}", figure(line.unit, most)),
        Bound::Below(end) => format!("< {}", figure(line.unit, end)),
    }
}

fn cells(line: &Line) -> [String; 6] {
    let range = line.range.map_or(String::new(), |(least, most)| {
        format!("{} – {}", figure(line.unit, least), figure(line.unit, most))
    });
    [
        line.name.to_owned(),
        figure(line.unit, line.figure),
        bound(line),
        if line.holds() { "yes" } else { "MISSED" }.to_owned(),
        range,
        line.from.clone(),
    ]
}

const HEAD: [&str; 6] = [
    "Case",
    "Median",
    "Must reach",
    "Reached",
    "Least – most of the rounds",
    "From (medians)",
];

/// For a terminal: columns of equal width.
pub(crate) fn plain(lines: &[Line]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(lines.iter().map(cells));
    let mut text = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let widths = rows.iter().filter_map(|row| row.get(column));
            let width = widths.map(|cell| cell.chars().count()).max().unwrap_or(0);
            let is_last = column + 1 == row.len();
            let padding = if is_last {
                0
            } else {
                width + 2 - cell.chars().count()
            };
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', padding));
        }
        text.push('\n');
    }
    text
}

/// For docs/performance.md.
pub(crate) fn markdown(lines: &[Line]) -> String {
    let head = format!("| {} |\n|---|---|---|---|---|---|\n", HEAD.join(" | "));
    let rows = lines.iter().map(|line| cells(line).join(" | "));
    rows.fold(head, |text, row| text + "| " + &row + " |\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Case;

    fn line(figure: f64) -> Line {
        Line {
            case: Case::Validate,
            name: "`validate`",
            figure,
            range: Some((0.6, 0.7)),
            unit: Unit::Percent,
            bound: Bound::AtLeast(0.65),
            from: "650 of 1000 req/s".to_owned(),
        }
    }

    #[test]
    fn a_row_tells_figure_bound_and_whether_it_was_reached() {
        let text = markdown(&[line(0.66), line(0.64)]);
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            rows[0],
            "| `validate` | 66.0 % | ≥ 65.0 % | yes | 60.0 % – 70.0 % | 650 of 1000 req/s |"
        );
        assert!(rows[1].contains("| MISSED |"));
        let columns = |text: &str| text.split(" | ").count();
        assert_eq!(columns(text.lines().next().unwrap()), columns(rows[0]));
    }

    #[test]
    fn columns_stand_below_each_other() {
        let text = plain(&[line(0.66), line(10.0)]);
        let at = |row: &str| {
            row.chars()
                .collect::<String>()
                .find('≥')
                .map(|_| row.chars().position(|c| c == '≥'))
        };
        let rows: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(at(rows[0]), at(rows[1]));
    }
}
