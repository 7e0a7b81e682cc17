//! Object storage through the `object_store` crate, for threads that wait. Every wait is bounded (see `patience`).
//!
//! Pieces of 64 KiB to 8 MiB are asked for ahead of the reader: they hide the time to the first byte with bounded memory,
//! and each has its own bound of retries.

mod bucket;
mod connection;
mod explain;
mod http;
mod object;
mod object_reader;
mod patience;
mod ranges;
mod request;
mod service;

pub(crate) use bucket::Bucket;
pub(crate) use object::Object;
pub(crate) use object_reader::ObjectReader;
pub(crate) use ranges::Ranges;
