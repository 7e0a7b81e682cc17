//! What shows that a folder is complete, and the one hash that stands for all of its content.

use crate::text::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// The file that is written last.
pub(crate) const SUCCESS: &str = "_SUCCESS";

/// A file of a folder, by its name there, and the SHA-256 of its bytes in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileHash {
    pub(crate) name: String,
    pub(crate) sha256: String,
}

/// What `_SUCCESS` says where this program wrote it. One that is empty, as Spark writes it, says only that all is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// The hash of the folder.
    pub(crate) prepared_sha256: String,
    /// Visits that may be sent.
    pub(crate) prepared: u64,
    /// Visits with problems.
    pub(crate) invalid: u64,
    /// The version of the program that wrote it.
    pub(crate) traxload: String,
}

impl Seal {
    /// What a `_SUCCESS` says; `None` where it says nothing, as that of Spark, or is one of Hadoop's committers.
    ///
    /// # Errors
    /// Where it was cut or changed.
    pub(crate) fn read(content: &[u8]) -> Result<Option<Seal>, serde_json::Error> {
        if content.trim_ascii().is_empty() {
            return Ok(None);
        }
        let told: serde_json::Value = serde_json::from_slice(content)?;
        match told["name"].as_str() {
            Some(name) if name.contains("hadoop") => Ok(None),
            _ => serde_json::from_value(told).map(Some),
        }
    }

    /// As it is written.
    pub(crate) fn content(&self) -> Vec<u8> {
        // Plain data always has a JSON form.
        let mut content = serde_json::to_vec(self).unwrap_or_default();
        content.push(b'\n');
        content
    }
}

/// The SHA-256 of what is read, in hexadecimal digits.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn file_hash(mut from: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&piece[..read]),
        }
    }
}

/// One hash for all files: the SHA-256 over a line `name sha256` of each, in the order of their names.
pub(crate) fn folder_hash(mut files: Vec<FileHash>) -> String {
    files.sort_by(|one, other| one.name.cmp(&other.name));
    let mut hash = Sha256::new();
    for FileHash { name, sha256 } in &files {
        hash.update(format!("{name} {sha256}\n"));
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_folder_is_that_of_sorted_lines() {
        let file = |name: &str, content: &str| FileHash {
            name: name.to_owned(),
            sha256: file_hash(content.as_bytes()).expect("readable"),
        };
        // printf 'a %s\nb %s\n' $(printf one | sha256sum | cut -c1-64) $(printf two | sha256sum | cut -c1-64) | sha256sum
        let hash = folder_hash(vec![file("b", "two"), file("a", "one")]);
        assert_eq!(hash, "a10d1fa05764ffc27440aa18ea4f3eea5c16e3c37f7458422dfb3d7dce4b1682");
        assert_ne!(folder_hash(vec![file("a", "one")]), hash);
    }

    #[test]
    fn an_empty_success_seals_nothing() {
        assert_eq!(Seal::read(b"\n").expect("nothing"), None);
        let of_hadoop = br#"{"name":"org.apache.hadoop.fs.s3a.commit.files.SuccessData/1","committer":"magic"}"#;
        assert_eq!(Seal::read(of_hadoop).expect("nothing"), None);
        assert!(Seal::read(b"{}").is_err() && Seal::read(b"{\"prepared_sha256\":\"ab").is_err());
        let seal = Seal { prepared_sha256: "ab".to_owned(), prepared: 2, invalid: 1, traxload: "0.2.0".to_owned() };
        assert_eq!(Seal::read(&seal.content()).expect("ours"), Some(seal));
    }
}
