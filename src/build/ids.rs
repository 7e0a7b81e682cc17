//! The ids of sessions and scenes: UUIDv5 of their keys. Every run gives a visit the same id, and so does the UUID library of
//! any other language. These rules never change, because the API knows visits of earlier years by their ids.
//!
//! - default namespace: `UUIDv5(NAMESPACE_URL, base address + "/" + project)`
//! - `session_uid = UUIDv5(namespace, visit key)`
//! - `scene_uid = UUIDv5(session_uid, scene key)`
//!
//! The vendor's page asks for "UUID v.4" (Sessions Input, `session_uid`). For a server that insists on it, the same bits are
//! marked as version 4 in a last step. The namespace of scenes is the session id before that step.

use crate::small_copy;
use sha1::block_api::compress;
use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

/// The version that ids are marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// UUIDv5, which the ids are.
    V5,
    /// Marked as random UUIDs, with all other bits unchanged.
    V4,
}

impl Version {
    /// The version as a number: 5 or 4.
    pub fn number(self) -> u8 {
        match self {
            Version::V5 => 5,
            Version::V4 => 4,
        }
    }
}

/// Makes the ids of one namespace.
#[derive(Clone, Debug)]
pub struct Ids {
    namespace: Uuid,
    version: Version,
}

/// The id of a session, which also makes the ids of its scenes.
#[derive(Clone, Debug)]
pub struct SessionId {
    /// The id as it is sent.
    pub uid: Uuid,
    /// The namespace of its scenes: the id before its version was marked.
    unmarked: Uuid,
    version: Version,
}

impl Ids {
    /// Ids in `namespace`, marked as `version`.
    pub fn new(namespace: Uuid, version: Version) -> Self {
        Ids { namespace, version }
    }

    /// The namespace of a job that names none, made from its `base_url`, without a slash at the end, and its project.
    pub fn default_namespace(base_url: &str, project: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{base_url}/{project}").as_bytes())
    }

    /// The namespace in use.
    pub fn namespace(&self) -> Uuid {
        self.namespace
    }

    /// The version that ids are marked as.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The id of the session that a visit becomes. `visit_id`: the visit's key.
    pub fn session(&self, visit_id: &str) -> SessionId {
        let unmarked = version_5(&self.namespace, visit_id);
        SessionId { uid: marked(unmarked, self.version), unmarked, version: self.version }
    }
}

impl SessionId {
    /// The id of a scene of this session. `scene_id`: the scene's key.
    pub fn scene(&self, scene_id: &str) -> Uuid {
        marked(version_5(&self.unmarked, scene_id), self.version)
    }

    /// The ids of many scenes of this session, faster than one by one. `ids` is at least as long as `scene_ids`.
    pub(super) fn scenes(&self, scene_ids: &[&str], ids: &mut [Uuid]) {
        for (keys, ids) in scene_ids.chunks(SCENES_AT_ONCE).zip(ids.chunks_mut(SCENES_AT_ONCE)) {
            let mut blocks = [[0; 64]; SCENES_AT_ONCE];
            let mut states = [SHA1; SCENES_AT_ONCE];
            for (block, key) in blocks.iter_mut().zip(keys) {
                fill(block, &self.unmarked, key);
            }
            // The rounds of a block wait for each other. Meanwhile the processor begins with the next block.
            for (state, block) in states.iter_mut().zip(&blocks).take(keys.len()) {
                compress(state, std::slice::from_ref(block));
            }
            for ((id, key), state) in ids.iter_mut().zip(keys).zip(states) {
                let short = key.len() <= ONE_BLOCK;
                *id = marked(if short { from_state(state) } else { from_long_name(&self.unmarked, key) }, self.version);
            }
        }
    }
}

/// The state that every SHA-1 begins with (FIPS 180-4, 5.3.1).
const SHA1: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
/// The longest name that fits into one block of SHA-1, between its namespace and the block's end mark and length.
const ONE_BLOCK: usize = 64 - 16 - 1 - 8;
/// How many ids are made together.
const SCENES_AT_ONCE: usize = 8;

/// UUIDv5 (RFC 9562, 5.5). Nearly all keys are short: one block of SHA-1, without a hasher around it.
fn version_5(namespace: &Uuid, name: &str) -> Uuid {
    if name.len() > ONE_BLOCK {
        return from_long_name(namespace, name);
    }
    let mut block = [0; 64];
    fill(&mut block, namespace, name);
    let mut state = SHA1;
    compress(&mut state, &[block]);
    from_state(state)
}

/// Fills a block of zeros with a short name. For a long name the block stays as it is.
#[inline]
fn fill(block: &mut [u8; 64], namespace: &Uuid, name: &str) {
    if name.len() <= ONE_BLOCK {
        block[..16].copy_from_slice(namespace.as_bytes());
        small_copy::copy(&mut block[16..16 + name.len()], name.as_bytes());
        block[16 + name.len()] = 0x80;
        block[56..].copy_from_slice(&((16 + name.len() as u64) * 8).to_be_bytes());
    }
}

/// The first 16 bytes of a hash, with the version and the variant of a UUIDv5. It works on whole words, because the id is
/// soon read as words.
#[inline]
fn from_state([a, b, c, d, _]: [u32; 5]) -> Uuid {
    let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    Uuid::from_u64_pair(pair(a, b & 0xffff_0fff | 0x5000), pair(c & 0x3fff_ffff | 0x8000_0000, d))
}

/// UUIDv5 of a name of any length.
fn from_long_name(namespace: &Uuid, name: &str) -> Uuid {
    let hash = Sha1::new_with_prefix(namespace.as_bytes()).chain_update(name.as_bytes()).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Builder::from_sha1_bytes(id).into_uuid()
}

fn marked(id: Uuid, version: Version) -> Uuid {
    match version {
        Version::V5 => id,
        Version::V4 => Builder::from_random_bytes(id.into_bytes()).into_uuid(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_equal_those_of_the_uuid_crate(namespace: u128, name in ".{0,80}") {
            let namespace = Uuid::from_u128(namespace);
            prop_assert_eq!(version_5(&namespace, &name), Uuid::new_v5(&namespace, name.as_bytes()));
        }

        #[test]
        fn ids_made_together_equal_ids_made_one_by_one(
            namespace: u128,
            names in proptest::collection::vec(".{0,60}", 0..30),
            version in prop_oneof![Just(Version::V4), Just(Version::V5)],
        ) {
            let session = Ids::new(Uuid::from_u128(namespace), version).session("V1");
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut ids = vec![Uuid::nil(); names.len()];
            session.scenes(&names, &mut ids);
            let one_by_one: Vec<Uuid> = names.iter().map(|name| session.scene(name)).collect();
            prop_assert_eq!(ids, one_by_one);
        }
    }

    /// Made with Python: `uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, "https://services.traxretail.com/my-project"), "V1")`
    /// and so on; for version 4 with `int & ~(0xf << 76) | (4 << 76)`.
    #[test]
    fn ids_equal_those_of_another_language() {
        let namespace = Ids::default_namespace("https://services.traxretail.com", "my-project");
        assert_eq!(namespace.to_string(), "1f5f7d80-7bdd-5c38-93c0-a5847feaa53e");
        let session = Ids::new(namespace, Version::V5).session("V1");
        assert_eq!(session.uid.to_string(), "ecf64c0a-4e32-51ac-b75b-fc802f6cdb45");
        assert_eq!(session.scene("S1").to_string(), "73e9ff1d-daba-5f03-9fb3-6ebd8229210e");
        let session = Ids::new(namespace, Version::V4).session("V1");
        assert_eq!(session.uid.to_string(), "ecf64c0a-4e32-41ac-b75b-fc802f6cdb45");
        assert_eq!(session.scene("S1").to_string(), "73e9ff1d-daba-4f03-9fb3-6ebd8229210e");
        let unicode = Ids::new(Uuid::NAMESPACE_DNS, Version::V5).session("Besuch-Ü-訪問");
        assert_eq!(unicode.uid.to_string(), "b1d20ce9-ff2f-5b23-9696-dd982166d926");
    }
}
