//! Where the bytes of an export come from: this machine, object storage (S3, Google Cloud Storage, Azure), or a command.
//!
//! An [`Address`] is a path such as `s3://bucket/key`, told from a local path by its scheme alone. A [`Bucket`] finds
//! and lists [`Object`]s. A [`DataFile`] is a file of either kind, opened as an [`Input`], and its [`Stamp`] shows whether
//! it was changed. Credentials come from the environment and never leave this room.
//!
//! It knows nothing of CSV, Parquet, patterns or columns, nor of the API.

mod address;
mod cloud;
mod command;
mod data_file;
mod error;
mod folder;
mod spool;
mod stamp;

pub(crate) use address::Address;
pub(crate) use cloud::{Bucket, Object, Ranges};
pub(crate) use command::{CommandError, Commands, Invocation};
pub(crate) use data_file::{DataFile, Input};
pub(crate) use error::StorageError;
pub(crate) use folder::{Folder, NewFile};
pub(crate) use spool::Spool;
pub(crate) use stamp::Stamp;
