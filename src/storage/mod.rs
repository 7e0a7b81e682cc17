//! Where the bytes of an export lie: on this machine, or in object storage (S3, Google Cloud Storage, Azure).
//!
//! An [`Address`] is a path such as `s3://bucket/key`, told from a local one by its scheme alone. A [`Bucket`] finds
//! and lists [`Object`]s; a [`DataFile`] is a file of either kind, opened as an [`Input`], and its [`Stamp`] shows whether
//! somebody wrote to it. Credentials come from the environment and never leave this room.
//!
//! It knows nothing of CSV, Parquet, patterns or columns, nor of the API.

mod address;
mod error;
mod place;

mod cloud;

pub(crate) use address::Address;
use address::Service;
pub(crate) use cloud::{Bucket, Object, Ranges};
pub(crate) use error::StorageError;
pub(crate) use place::{DataFile, Input, Stamp};
