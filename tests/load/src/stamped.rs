//! Stamped downloads: a zip of 50 MB and 12 000 entries that names each license, made on the way out.

use std::io::{Cursor, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Outcome;
use crate::arguments::{Arguments, Case};
use crate::downloads::{Gated, request};
use crate::lines::{Bound, Line, Unit};
use crate::process::Memory;
use crate::seed::KIT;
use crate::statistics::median;

const ENTRIES: usize = 12_000;
/// Bytes of each: together 50 MB with their headers.
const ENTRY: usize = 4_000;
const NAME: &str = "kit-2.0.0.zip";

/// Measures; the lines of the table.
pub(crate) async fn run(arguments: &Arguments, program: &Path) -> Outcome<Vec<Line>> {
    let folder = TempDir::with_prefix("kitward-load-")?;
    let gated = Gated::start(arguments, program, folder.path()).await?;
    let kit = format!("/v1/admin/kits/{KIT}");
    let publisher = gated.publisher();
    publisher
        .send("PATCH", &kit, br#"{"stamps":true}"#.to_vec())
        .await?;
    let (zip, directory) = zip()?;
    let size = zip.len();
    publisher.publish(NAME, zip).await?;
    let data = folder.path().join("data");
    let (stored, before) = (
        bytes_below(&data.join("blobs"))?,
        Memory::of(gated.server.pid())?,
    );

    let path = format!("/v1/kits/{KIT}/releases/2.0.0/artifacts/{NAME}");
    let (mut firsts, mut most, mut grown) = (Vec::new(), 0, 0);
    for number in 0..if arguments.quick { 20 } else { 200_u64 } {
        let (_, key) = gated.keys.pick(number);
        let key = format!("Authorization: License {key}\r\n");
        let request = request(&path, &gated.server.host(), &key);
        let mut stream = TcpStream::connect(gated.server.address).await?;
        let started = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let mut buffer = vec![0; 256 * 1024];
        let first = stream.read(&mut buffer).await?;
        firsts.push(started.elapsed());
        if !buffer
            .get(..first)
            .unwrap_or_default()
            .starts_with(b"HTTP/1.1 200")
        {
            return Err(String::from_utf8_lossy(&buffer).into_owned().into());
        }
        let mut read = first;
        while read < size {
            read += stream.read(&mut buffer).await?;
        }
        let now = Memory::of(gated.server.pid())?;
        most = most.max(now.private.saturating_sub(before.private));
        grown = grown.max(bytes_below(&data.join("blobs"))?.saturating_sub(stored));
    }
    eprintln!("stamped: {size} bytes, directory {directory} bytes");
    Ok(lines(&firsts, most, grown, directory))
}

fn lines(firsts: &[Duration], most: u64, grown: u64, directory: u64) -> Vec<Line> {
    let mut micros: Vec<f64> = firsts
        .iter()
        .map(|first| first.as_secs_f64() * 1e6)
        .collect();
    micros.sort_by(f64::total_cmp);
    let at = |part: usize| {
        micros
            .get(micros.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    let line = |name, figure, unit, bound, from| Line {
        case: Case::Stamped,
        name,
        figure,
        range: None,
        unit,
        bound,
        from,
    };
    vec![
        line(
            "stamped zip, 50 MB of 12 000 entries, first byte",
            median(&micros).unwrap_or_default(),
            Unit::Micros,
            Bound::AtMost(5_000.0),
            format!("{} downloads, p95 {:.0} µs", micros.len(), at(95)),
        ),
        line(
            "the same, memory / its central directory",
            most as f64 / directory as f64,
            Unit::Times,
            Bound::AtMost(3.0),
            format!("{most} of {directory} bytes"),
        ),
        line(
            "the same, bytes copied in the storage",
            grown as f64 / 1_000_000.0,
            Unit::Megabytes,
            Bound::AtMost(0.0),
            "files below blobs, while it was sent".to_owned(),
        ),
    ]
}

/// The zip, and how many bytes its directory has.
fn zip() -> Outcome<(Vec<u8>, u64)> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut state = 1_u32;
    for number in 0..ENTRIES {
        writer.start_file(
            format!("kit/folder{:03}/file{number:05}.ts", number % 200),
            options,
        )?;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_le_bytes()[3]
        })
        .take(ENTRY)
        .collect();
        writer.write_all(&bytes)?;
    }
    let mut bytes = writer.finish()?;
    let end = kitward::releases::archive::find_end(&mut bytes).map_err(|_fault| "no zip")?;
    Ok((bytes.into_inner(), end.directory_size))
}

fn bytes_below(folder: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        sum += if found.is_dir() {
            bytes_below(&entry.path())?
        } else {
            found.len()
        };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_byte_that_comes_late_and_memory_that_grows_are_told() {
        let found = lines(&[Duration::from_millis(6); 3], 40, 0, 10);
        assert!(!found[0].holds() && !found[1].holds() && found[2].holds());
        let found = lines(&[Duration::from_millis(4); 3], 30, 1, 10);
        assert!(found[0].holds() && found[1].holds() && !found[2].holds());
    }
}
