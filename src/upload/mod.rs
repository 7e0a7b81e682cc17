//! Sends prepared visits: one PUT each, under one rate, with retries, until all are answered or there is a reason to
//! stop.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `network`, `http` | how a request goes out and what counts as a reply |
//! | `answer` | what an answer says went wrong |
//! | `classify` | what a reply means for its visit |
//! | `pace`, `climb` | when the next request may go: the rate, pauses after 429 |
//! | `health` | whether the API as a whole is down |
//! | `backoff` | how long a visit waits for its next attempt |
//! | `stop` | why no more is sent |
//! | `engine` | all of these together, for many visits at once |
//!
//! It knows nothing of exports and of result files.

mod answer;
mod backoff;
mod classify;
mod climb;
mod config;
mod engine;
mod health;
mod http;
mod network;
mod pace;
mod retry_after;
mod stop;
mod token;
mod traffic;

pub use config::{Backoff, Config, Endpoint};
pub use engine::upload;
pub use http::{Http, HttpError};
pub use network::{Network, Reply};
pub use stop::Stop;
pub use token::Token;
pub use traffic::Traffic;
