//! Sends store visits from CSV and Parquet exports to the Trax Sessions Input API.
pub mod build;
pub mod cli;
mod index;
pub mod init;
pub mod job;
mod nearest;
pub mod notify;
pub mod report;
pub mod results;
pub mod sandbox;
pub mod scan;
mod short;
pub mod shuffle;
mod storage;
mod text;
pub mod upload;
