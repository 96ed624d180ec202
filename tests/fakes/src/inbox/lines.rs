//! Lines of bounded length.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// What was read up to the next line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line with its end.
    Whole(Vec<u8>),
    /// A line longer than allowed; it was read and thrown away.
    TooLong,
    /// The connection ended, perhaps within a line.
    End,
}

/// Reads one line of at most `limit` bytes, its end included.
pub(super) async fn read_line<R>(reader: &mut R, limit: usize) -> io::Result<Line>
where
    R: AsyncBufRead + Unpin,
{
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok(Line::End);
        }
        let feed = available.iter().position(|&byte| byte == b'\n');
        let used = feed.map_or(available.len(), |position| position + 1);
        too_long = too_long || line.len() + used > limit;
        if !too_long {
            line.extend(available.iter().take(used));
        }
        reader.consume(used);
        if feed.is_some() {
            return Ok(if too_long {
                Line::TooLong
            } else {
                Line::Whole(line)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::{Line, read_line};

    #[tokio::test]
    async fn long_lines_are_skipped_and_the_next_is_whole() -> std::io::Result<()> {
        let text: &[u8] = b"short\r\nfar too long for this\r\nnext\r\nrest";
        // A buffer smaller than a line: it has to be read in pieces.
        let mut reader = BufReader::with_capacity(4, text);
        assert_eq!(
            read_line(&mut reader, 10).await?,
            Line::Whole(b"short\r\n".to_vec())
        );
        assert_eq!(read_line(&mut reader, 10).await?, Line::TooLong);
        assert_eq!(
            read_line(&mut reader, 10).await?,
            Line::Whole(b"next\r\n".to_vec())
        );
        assert_eq!(read_line(&mut reader, 10).await?, Line::End);
        Ok(())
    }
}
