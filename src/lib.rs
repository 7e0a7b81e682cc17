//! Sends store visits from CSV and Parquet exports to the Trax Sessions Input API.
pub mod build;
pub mod cli;
mod http_client;
mod index;
pub mod init;
pub mod job;
pub mod notify;
pub mod outcome;
pub mod report;
pub mod results;
pub mod sandbox;
pub mod scan;
mod short;
pub mod shuffle;
#[cfg(test)]
mod simulation;
mod storage;
mod text;
pub mod upload;
