//! What is asked of visits that can be built by their number: those of an export, or those that were built before.

use super::identity::Identity;
use super::prepared::{Built, Glance, Invalid, Prepared};
use crate::scan::Location;
use sha2::{Digest, Sha256};

/// Visits by their number. Any number of threads may share them.
pub(crate) trait Visits: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether a visit is the first one with its key.
    fn is_first(&self, at: usize) -> bool;

    /// The key of a visit, and where its row is.
    fn key(&self, at: usize) -> (&str, Location);

    /// The store of a visit, where it can be told; else empty.
    fn store_number(&self, at: usize) -> &str;

    /// Checks a visit and appends its body to `body`. Nothing is appended for an invalid visit.
    ///
    /// # Errors
    /// All problems of the visit.
    fn build(&self, at: usize, body: &mut Vec<u8>) -> Result<Built, Box<Invalid>>;

    /// What a valid visit is called. `built` is what [`build`](Visits::build) returned for it.
    fn identity(&self, at: usize, built: &Built) -> Identity;

    /// A valid visit as it was read, where its row is at hand.
    fn glance(&self, _at: usize, _built: &Built) -> Option<Glance> {
        None
    }

    /// Makes a visit ready to be sent.
    ///
    /// # Errors
    /// All problems of the visit.
    fn prepare(&self, at: usize) -> Result<Prepared, Box<Invalid>> {
        let mut body = Vec::with_capacity(1024);
        let built = self.build(at, &mut body)?;
        body.shrink_to_fit();
        Ok(Prepared::new(self.identity(at, &built), built.session_uid, body))
    }

    /// What a visit is called, and the SHA-256 of the body that it would have: for a valid visit that will not be sent.
    /// `scratch` is overwritten.
    ///
    /// # Errors
    /// All problems of the visit.
    fn identify(&self, at: usize, scratch: &mut Vec<u8>) -> Result<(Identity, [u8; 32]), Box<Invalid>> {
        scratch.clear();
        let built = self.build(at, scratch)?;
        Ok((self.identity(at, &built), Sha256::digest(scratch).into()))
    }

    /// What a visit is called. `built` is what [`build`](Visits::build) returned for it.
    fn named(&self, at: usize, built: Result<&Built, &Invalid>) -> Identity {
        match built {
            Ok(built) => self.identity(at, built),
            Err(invalid) => invalid.identity.clone(),
        }
    }
}
