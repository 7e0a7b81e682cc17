//! Paths in object storage: `scheme://bucket/key`.

use super::error::StorageError;

/// The service that keeps the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Service {
    /// Amazon S3, and servers with the same API.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

const SCHEMES: [(&str, Service); 7] = [
    ("s3", Service::S3),
    ("s3a", Service::S3),
    ("gs", Service::Google),
    ("az", Service::Azure),
    ("azure", Service::Azure),
    ("abfs", Service::Azure),
    ("abfss", Service::Azure),
];

/// A path that names object storage, in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    pub(super) service: Service,
    /// `scheme://bucket`, as the job writes it. The names of objects begin with it.
    pub(crate) root: &'a str,
    /// The name of the bucket. For Azure it is the container, with `@account` where the path names one.
    pub(super) bucket: &'a str,
    /// The rest of the path as it stands; nothing in it is decoded.
    pub(crate) key: &'a str,
}

impl Address<'_> {
    /// The parts of a path. `None`: a local path, which is any path without one of the known schemes.
    ///
    /// # Errors
    /// Where the path names no bucket, or more than a bucket.
    pub(crate) fn parse(path: &str) -> Option<Result<Address<'_>, StorageError>> {
        let (scheme, rest) = path.split_once("://")?;
        let (_, service) = SCHEMES.into_iter().find(|(known, _)| scheme.eq_ignore_ascii_case(known))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let wrong =
            |reason: &str| Some(Err(StorageError::Other(format!("{reason}; write it as {scheme}://bucket/key"))));
        if bucket.is_empty() || bucket.contains(['*', '?', '[', ']', '{', '}']) {
            return wrong("it names no bucket");
        }
        if bucket.contains(':') || (service != Service::Azure && bucket.contains('@')) {
            return wrong("it names more than a bucket, and credentials belong into the environment");
        }
        let root = &path[..scheme.len() + "://".len() + bucket.len()];
        Some(Ok(Address { service, root, bucket, key }))
    }

    /// The path as it may be shown. It is only the scheme where the path has credentials in place of a bucket, since these
    /// may contain a slash.
    pub(crate) fn shown(path: &str) -> String {
        match path.split_once("://").map(|(scheme, rest)| (scheme, rest.split('/').next().unwrap_or_default())) {
            // Azure's addresses name the account behind an @.
            Some((scheme, bucket)) if bucket.contains(':') || bucket.contains('@') && !scheme.starts_with('a') => {
                format!("{scheme}://…")
            }
            _ => path.to_owned(),
        }
    }

    /// Whether a path names object storage.
    pub(crate) fn is_remote(path: &str) -> bool {
        Address::parse(path).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_are_object_storage() {
        let parse = |path| Address::parse(path).map(|address| address.expect("with a bucket"));
        let address = parse("s3://b-1/exports/a b%20#?.csv").expect("remote");
        assert_eq!((address.root, address.bucket, address.key), ("s3://b-1", "b-1", "exports/a b%20#?.csv"));
        let azure = parse("abfss://c@account.dfs.core.windows.net/x/").expect("remote");
        assert_eq!((azure.service, azure.bucket, azure.key), (Service::Azure, "c@account.dfs.core.windows.net", "x/"));
        assert_eq!(parse("GS://b").map(|a| (a.service, a.root, a.key)), Some((Service::Google, "GS://b", "")));
        for local in ["visits.csv", "odd://visits.csv", "./s3://b/k", "s3:/b/k", "C:\\s3", "://b"] {
            assert_eq!(parse(local), None, "{local}");
        }
        for wrong in ["s3://", "s3:///key", "gs://b*/key", "s3://id:secret@b/key"] {
            assert!(Address::parse(wrong).expect("remote").is_err(), "{wrong}");
        }
        assert_eq!(Address::shown("s3://id:secret@b/key"), "s3://…");
        assert_eq!(Address::shown("s3://id:sec/ret@b/key"), "s3://…");
        assert_eq!(Address::shown("abfss://c@account/key"), "abfss://c@account/key");
    }
}
