//! Reads an object from its first byte to its last, in pieces that are asked for ahead of the reader.

use super::object::Object;
use super::request::Request;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::{self, Read};

/// The first piece, in bytes. It is small: often only the header is wanted.
const FIRST: u64 = 64 << 10;
/// How much larger each piece is than the one before, up to the largest.
const GROWTH: u64 = 4;
/// The largest piece, in bytes.
const LARGEST: u64 = 8 << 20;
/// Pieces under way while one is read: they hide the time until the first byte of each.
const AHEAD: usize = 2;

/// Reads an object in order. Memory is bounded by the pieces, whatever the size of the object.
#[derive(Debug)]
pub(crate) struct ObjectReader {
    object: Object,
    /// The first piece, once it was read.
    first: Option<Bytes>,
    /// What is left of the piece that is being read.
    now: Bytes,
    /// The pieces behind it that were asked for.
    asked: VecDeque<Request<Bytes>>,
    /// Whether a piece did not come. The bytes behind it must not be taken for it.
    is_broken: bool,
    /// Where the next piece to ask for begins.
    next: u64,
    /// How large that piece will be.
    piece: u64,
}

impl ObjectReader {
    /// Reads an object from its first byte on. Nothing is asked for yet.
    pub(crate) fn new(object: Object) -> ObjectReader {
        ObjectReader {
            object,
            first: None,
            now: Bytes::new(),
            asked: VecDeque::new(),
            is_broken: false,
            next: 0,
            piece: FIRST,
        }
    }

    /// Goes back to the first byte.
    pub(crate) fn rewind(&mut self) {
        self.asked.clear();
        // The first piece is still at hand.
        self.now = self.first.clone().unwrap_or_default();
        self.next = self.now.len() as u64;
        self.piece = FIRST;
        self.is_broken = false;
    }

    fn ask(&mut self) {
        let end = (self.next + self.piece).min(self.object.size());
        if self.next < end {
            self.asked.push_back(self.object.ask_for(self.next..end));
            self.next = end;
            self.piece = (self.piece * GROWTH).min(LARGEST);
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other("a piece of the object before this one could not be read"));
        }
        if self.asked.is_empty() {
            self.ask();
        }
        let Some(asked) = self.asked.pop_front() else { return Ok(()) };
        // A reader that goes past the first piece will probably read all.
        while self.first.is_some() && self.asked.len() < AHEAD && self.next < self.object.size() {
            self.ask();
        }
        // Until it is there: a reader that goes on after an error gets an error again.
        self.is_broken = true;
        self.now = asked.wait()?;
        self.is_broken = false;
        self.first.get_or_insert_with(|| self.now.clone());
        Ok(())
    }
}

impl Read for ObjectReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.now.is_empty() && !into.is_empty() {
            self.fill()?;
        }
        let n = into.len().min(self.now.len());
        into[..n].copy_from_slice(&self.now[..n]);
        self.now.advance(n);
        Ok(n)
    }
}
