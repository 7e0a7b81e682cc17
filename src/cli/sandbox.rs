//! `traxload sandbox`: the local Sessions API as a command.

use super::console::Console;
use super::errors::Failure;
use crate::outcome::Exit;
use crate::sandbox::{Options, serve};
use clap::Args;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpListener;

/// Options of the sandbox.
#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// Where to listen; 0 takes a free port
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    host: IpAddr,
    /// A token that is accepted; others get 401 (default: any). May be given several times
    #[arg(long, value_name = "TOKEN")]
    token: Vec<String>,
    /// A token that has expired
    #[arg(long, value_name = "TOKEN")]
    expired_token: Vec<String>,
    /// A project that the token may use; others get 403 (default: any)
    #[arg(long, value_name = "NAME")]
    project: Vec<String>,
    /// Known stores: CSV with a header, first column (default: any)
    #[arg(long, value_name = "FILE")]
    stores: Option<PathBuf>,
    /// Known users, likewise
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Known task codes, likewise
    #[arg(long, value_name = "FILE")]
    task_codes: Option<PathBuf>,
    /// Known visit types, likewise
    #[arg(long, value_name = "FILE")]
    visit_types: Option<PathBuf>,
    /// Require a task code in every scene
    #[arg(long)]
    task_code_required: bool,
    /// Take only UUIDs of version 4
    #[arg(long)]
    uuid_v4_required: bool,
    /// Answer 429 past so many requests in any second
    #[arg(long, value_name = "N")]
    rate_limit: Option<u32>,
    /// The Retry-After of those answers, in seconds
    #[arg(long, value_name = "SECONDS", requires = "rate_limit")]
    retry_after: Option<u64>,
    /// Answer every Nth request with 500
    #[arg(long, value_name = "N")]
    fail_every: Option<u64>,
    /// How long every answer takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
}

pub(super) fn sandbox(args: &SandboxArgs, console: &Console) -> Result<Exit, Failure> {
    let options = options(args)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| {
            Failure::new(Exit::Unexpected, format!("cannot start: {error}; is the machine out of threads?"))
        })?;
    runtime.block_on(async {
        let listener = TcpListener::bind((args.host, args.port)).await.map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("cannot listen on {}:{}: {error}; is another one running? try --port 0", args.host, args.port),
            )
        })?;
        let address = listener.local_addr().map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
        console.notice(&format!(
            "A Sessions API listens on http://{address}, until Ctrl-C.\n\
             What arrived: http://{address}/sandbox/sessions, counts: http://{address}/sandbox/stats\n"
        ));
        let shutdown = async {
            let _ = tokio::signal::ctrl_c().await;
        };
        serve(listener, options, shutdown).await.map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
        Ok(Exit::Done)
    })
}

fn options(args: &SandboxArgs) -> Result<Options, Failure> {
    let list = |path: &Option<PathBuf>| path.as_deref().map(known_values).transpose();
    let visit_types = list(&args.visit_types)?.map(|values| {
        let numbers = values.iter().map(|value| {
            value.parse().map_err(|_| {
                Failure::new(
                    Exit::Usage,
                    format!("{value:?} in the list of visit types is not a whole number; fix the list"),
                )
            })
        });
        numbers.collect::<Result<BTreeSet<i64>, Failure>>()
    });
    Ok(Options {
        tokens: args.token.clone(),
        expired_tokens: args.expired_token.clone(),
        projects: args.project.clone(),
        stores: list(&args.stores)?,
        users: list(&args.users)?,
        task_codes: list(&args.task_codes)?,
        visit_types: visit_types.transpose()?,
        task_code_required: args.task_code_required,
        uuid_v4_required: args.uuid_v4_required,
        rate_limit: args.rate_limit,
        retry_after: args.retry_after,
        fail_every: args.fail_every,
        latency: Duration::from_millis(args.latency),
        ..Options::default()
    })
}

fn known_values(path: &Path) -> Result<BTreeSet<String>, Failure> {
    crate::job::known_values(Path::new(""), &path.display().to_string())
        .map(|values| values.into_iter().collect())
        .map_err(|message| Failure::new(Exit::Usage, message))
}
