//! A page from a result file, or one of many of them: one HTML file that needs no other file, for readers who did not watch
//! the run.
//!
//! It knows result files and their manifests, not exports, jobs or the network. A file is read once as a stream, and the
//! page stays small however many rows there are.

mod about;
mod causes;
mod chart;
mod distinct;
mod groups;
mod holdups;
mod latency;
mod outcomes;
mod overview;
mod page;
mod slices;
mod standstills;
mod tally;
mod throughput;
mod timeline;
mod words;

pub(crate) use about::{About, Advice, Standing};
pub(crate) use overview::{OverviewAbout, in_short, overview, passed_over, trouble};
pub(crate) use page::{is_page, page};
pub(crate) use slices::{SliceFile, SliceTally, read_slices};
pub(crate) use tally::ResultTally;
