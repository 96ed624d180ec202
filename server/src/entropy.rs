//! Chance as a part of [`App`](crate::app::App): the only caller of the system's random source.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Where the program takes random bytes from.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Fills `buffer` with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// `N` random bytes.
pub fn bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut buffer = [0; N];
    entropy.fill(&mut buffer);
    buffer
}

/// The operating system's source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

/// Bytes a thread asks for at once. Ids take few each, and a call of the system costs more than making
/// them; keys and tokens are longer and come from the system alone.
const BLOCK: usize = 512;
/// The longest request that is filled from a block.
const SHORT: usize = 10;

thread_local! {
    /// What is left of this thread's block stands at its end; what was given away is wiped.
    static SPARE: RefCell<(Zeroizing<[u8; BLOCK]>, usize)> =
        RefCell::new((Zeroizing::new([0; BLOCK]), 0));
}

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > SHORT {
            return ask(buffer);
        }
        SPARE.with_borrow_mut(|(block, left)| {
            if *left < buffer.len() {
                ask(block.as_mut_slice());
                *left = BLOCK;
            }
            let unused = block.iter_mut().skip(BLOCK - *left);
            for (byte, random) in buffer.iter_mut().zip(unused) {
                *byte = std::mem::take(random);
            }
            *left -= buffer.len();
        });
    }
}

#[expect(
    clippy::panic,
    reason = "no key, token or id may be made without randomness"
)]
fn ask(buffer: &mut [u8]) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the system"
    )]
    let filled = getrandom::fill(buffer);
    if let Err(error) = filled {
        panic!("the operating system gives no random bytes: {error}");
    }
}

/// A reproducible sequence, for tests.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// Equal seeds give equal sequences.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let number = self.drawn.fetch_add(1, Ordering::Relaxed);
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(number.to_be_bytes());
            for (byte, random) in chunk.iter_mut().zip(hash.finalize()) {
                *byte = random;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_byte_of_a_block_is_given_twice() {
        let draw = || std::iter::repeat_with(|| bytes::<10>(&SystemEntropy)).take(1_000);
        let (mine, theirs) = (
            draw().collect::<Vec<_>>(),
            std::thread::scope(|scope| {
                let other = scope.spawn(|| draw().collect::<Vec<_>>());
                other.join().unwrap()
            }),
        );
        let all: HashSet<_> = mine.iter().chain(&theirs).collect();
        assert_eq!(all.len(), 2_000);
        assert!(all.iter().all(|drawn| drawn.iter().any(|byte| *byte != 0)));
    }
}
