//! Zstandard, frame after frame.

use std::io::{BufRead, Error, Read, copy, sink};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Most memory that looking back may take: what `zstd -22` uses is twice that, `-19` an eighth.
const WINDOW: u64 = 64 << 20;

/// The bytes of all frames.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    is_inside: bool,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self {
            source,
            decoder,
            is_inside: false,
        }
    }

    /// Goes to the next frame with content.
    fn start(&mut self) -> Result<(), Error> {
        match self.decoder.reset(&mut self.source) {
            Ok(()) => self.is_inside = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                copy(&mut (&mut self.source).take(length.into()), &mut sink())?;
                self.is_inside = false;
            }
            Err(error) => return Err(Error::other(error)),
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        while !self.is_inside || self.decoder.can_collect() == 0 {
            if self.is_inside && !self.decoder.is_finished() {
                let blocks = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.source, blocks);
                decoded.map_err(Error::other)?;
            } else if self.source.fill_buf()?.is_empty() {
                return Ok(0);
            } else {
                self.start()?;
            }
        }
        self.decoder.read(buffer)
    }
}
