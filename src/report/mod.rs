//! A page from a result file: one HTML file that needs no other file, for readers who did not watch the run.
//!
//! It knows result files and their manifests, not exports, jobs or the network. The file is read once as a stream, and the
//! page stays small however many rows there are.

mod about;
mod causes;
mod chart;
mod groups;
mod latency;
mod outcomes;
mod page;
mod tally;
mod throughput;
mod timeline;
mod words;

pub(crate) use about::{About, Advice, Standing};
pub(crate) use page::{is_page, page};
pub(crate) use tally::ResultTally;
