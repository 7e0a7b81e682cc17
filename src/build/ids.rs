//! The ids of visits and scenes: UUIDv5 of their keys, so that any run, and any other language's UUID library,
//! names the same things the same way. These rules never change.
//!
//! - default namespace: `UUIDv5(NAMESPACE_URL, base address + "/" + project)`
//! - `session_uid = UUIDv5(namespace, visit key)`
//! - `scene_uid = UUIDv5(session_uid, scene key)`
//!
//! A server that insists on version 4 (the vendor's pages say so) gets the same bits with the version marked 4,
//! last; a scene's namespace is the unmarked session id.

use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

/// Which version the ids are marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// What the ids are.
    V5,
    /// The same bits, marked as random ones.
    V4,
}

impl Version {
    /// As a number.
    pub fn number(self) -> u8 {
        match self {
            Version::V5 => 5,
            Version::V4 => 4,
        }
    }
}

/// Makes ids in one namespace.
#[derive(Clone, Debug)]
pub struct Ids {
    namespace: Uuid,
    version: Version,
    /// The hash of the namespace's bytes, with which every session id begins.
    seeded: Sha1,
}

/// A session's id, and what its scenes' ids begin with.
#[derive(Clone, Debug)]
pub struct SessionId {
    /// As it is sent.
    pub uid: Uuid,
    seeded: Sha1,
    version: Version,
}

impl Ids {
    /// Ids in `namespace`.
    pub fn new(namespace: Uuid, version: Version) -> Self {
        Ids { namespace, version, seeded: Sha1::new_with_prefix(namespace.as_bytes()) }
    }

    /// The namespace of a project where the job names none. `base_url` has no slash at its end.
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

    /// The id of a visit.
    pub fn session(&self, visit_id: &str) -> SessionId {
        let unmarked = version_5(self.seeded.clone(), visit_id);
        SessionId {
            uid: marked(unmarked, self.version),
            seeded: Sha1::new_with_prefix(unmarked.as_bytes()),
            version: self.version,
        }
    }
}

impl SessionId {
    /// The id of one of the visit's scenes.
    pub fn scene(&self, scene_id: &str) -> Uuid {
        marked(version_5(self.seeded.clone(), scene_id), self.version)
    }
}

fn version_5(mut seeded: Sha1, name: &str) -> Uuid {
    seeded.update(name.as_bytes());
    let hash = seeded.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid()
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

    /// Made with Python: `uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, "https://services.traxretail.com/my-project"), "V1")`
    /// and so on; for version 4 with `int & ~(0xf << 76) | (4 << 76)`.
    #[test]
    fn ids_are_those_of_another_language() {
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
