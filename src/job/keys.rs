//! The tables of a job file and their keys, as serde reads them and schemars describes them.
//!
//! Editors show the comments on the keys, and so do mistakes. What a value means is the business of the sections.

use super::column_keys::{SceneColumns, VisitColumns};
use super::values::{EarlierFiles, PathList, Scalar, ScalarList, Spanned};
use super::vocabulary::{
    FORMATS, ID_VERSIONS, LOCAL_DAYS, MAX_ATTEMPTS, MAX_BURST, MAX_IN_FLIGHT, RESOURCES, WHENS, words,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What traxload reads, checks and sends, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobKeys {
    /// The name of the job, by which its results are filed. Left out: the name of this file without its ending.
    pub(super) name: Option<Spanned<String>>,
    /// The export of visits: one row per visit.
    pub(super) visits: ExportKeys<VisitColumns>,
    /// The export of scenes: one row per scene. It may be the file of the visits, where one flat export has both.
    pub(super) scenes: ExportKeys<SceneColumns>,
    /// How scenes are brought to their visits.
    #[serde(default)]
    pub(super) shuffle: ShuffleKeys,
    /// Time zones.
    #[serde(default)]
    pub(super) time: TimeKeys,
    /// How the ids of sessions and scenes are made. Once visits are sent, leave this as it is.
    #[serde(default)]
    pub(super) ids: IdKeys,
    /// What is checked before anything is sent.
    #[serde(default)]
    pub(super) check: CheckKeys,
    /// Where sessions go.
    pub(super) api: Option<Spanned<ApiKeys>>,
    /// How fast and how patiently they are sent.
    #[serde(default)]
    pub(super) upload: UploadKeys,
    /// What a run leaves behind.
    #[serde(default)]
    pub(super) results: ResultsKeys,
    /// Notifications of how a run ended.
    #[serde(default)]
    pub(super) notify: NotifyKeys,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Export_{C}", extend("oneOf" = [{ "required": ["path"] }, { "required": ["command"] }]))]
#[serde(deny_unknown_fields)]
pub(super) struct ExportKeys<C> {
    /// A file, a folder, a glob such as "exports/*.csv.gz", or a list of them, on this machine or in object storage
    /// ("s3://bucket/exports/", gs://, az://). {date} is the day of --date, {date:%Y/%m/%d}
    /// the same day in another form.
    pub(super) path: Option<Spanned<PathList>>,
    /// In place of path: a program and its arguments, such as ["duckdb", "-csv", "-c", "SELECT ..."]. What it prints is the
    /// export, as CSV. It is started without a shell; {date} and {name} are filled in.
    pub(super) command: Option<Spanned<Vec<String>>>,
    /// How the files are written. Left out: their names decide.
    #[schemars(extend("enum" = words(&FORMATS)))]
    pub(super) format: Option<Spanned<String>>,
    /// The columns of files without a header line, in their order, such as ["visit_id", "store_code"].
    pub(super) header: Option<Spanned<Vec<String>>>,
    /// How many lines to pass over before the header, or with `header` before the first row. Left out: 0.
    pub(super) skip: Option<Spanned<u32>>,
    /// Lines (not inside quotes) that are no rows, such as ["---*", "(* rows affected)"]: * is any text, ? one character.
    /// They are left out and counted.
    pub(super) ignore_lines: Option<Spanned<Vec<String>>>,
    /// A single ASCII character, such as ";" or "\t". Left out: ",", "\t" for .tsv and .tab, and "|" for .psv.
    pub(super) delimiter: Option<Spanned<String>>,
    /// The quote; doubled inside quotes it stands for itself. Left out: '"'. "": there are no quotes.
    pub(super) quote: Option<Spanned<String>>,
    /// The escape character, such as "\\", inside quotes only; where quote = "", everywhere. Left out: none.
    pub(super) escape: Option<Spanned<String>>,
    /// Cells that mean "empty", such as ["NULL", "\\N"]. The empty cell always does.
    pub(super) null_values: Option<Vec<String>>,
    /// The encoding of the text, such as "windows-1252" or "utf-16". Left out: "utf-8".
    pub(super) encoding: Option<Spanned<String>>,
    /// Whether spaces and tabs around a cell are dropped. Left out: true.
    pub(super) trim: Option<bool>,
    /// How long a file must not have changed before anything is sent, such as "1m". One that has just changed is looked
    /// at again after this time. "0s": it is not. Left out: "5s".
    pub(super) settle: Option<Spanned<String>>,
    /// Only rows with these values in these columns, such as { status = ["completed"] }. The others are counted.
    pub(super) only: Option<Spanned<BTreeMap<String, ScalarList>>>,
    /// Field of the API = column of the export.
    pub(super) columns: C,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShuffleKeys {
    /// The memory for bringing scenes to their visits, such as "4GB" or "512MiB"; past it, temporary files. Left out:
    /// half of what is free, shared with other runs.
    pub(super) memory: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeKeys {
    /// The zone of times that carry none, such as "Europe/Paris" or "+01:00". Without it such a time is a problem.
    pub(super) timezone: Option<Spanned<String>>,
    /// What tells the day of a visit without visit_date, where the offset that its start is written with and the zone give
    /// different days. Left out: such a visit is a problem.
    #[schemars(extend("enum" = words(&LOCAL_DAYS)))]
    pub(super) local_day: Option<String>,
    /// What %x stands for in every `format`, such as "%d/%m/%Y".
    pub(super) date_format: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdKeys {
    /// The UUID that all ids are made with. Left out: made from base_url and project.
    pub(super) namespace: Option<Spanned<String>>,
    /// The version of the ids. Left out: 5. With 4 the same bits are marked as version 4, for a server that insists.
    #[schemars(extend("enum" = words(&ID_VERSIONS)))]
    pub(super) version: Option<u8>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckKeys {
    /// Whether a scene without a task code is a problem, as the PUREAI solution wants it. Left out: false.
    pub(super) task_code_required: Option<Spanned<bool>>,
    /// The stores that Trax knows: a CSV file with a header, of which the first column is read.
    pub(super) stores: Option<Spanned<String>>,
    /// The e-mail addresses that Trax knows: a CSV file with a header, of which the first column is read.
    pub(super) users: Option<Spanned<String>>,
    /// The task codes that Trax knows: a CSV file with a header, of which the first column is read.
    pub(super) task_codes: Option<Spanned<String>>,
    /// The visit types that Trax knows: a CSV file with a header, of which the first column is read.
    pub(super) visit_types: Option<Spanned<String>>,
    /// With more invalid visits than this nothing is sent: a share of the result rows such as "5%", or a number of
    /// visits. Left out: "50%".
    pub(super) max_invalid: Option<Spanned<Scalar>>,
    /// Codes of suspicions, and of the problems near_key, reused_key, placeholder and invisible_character, that are fine in this job, such
    /// as ["midnight"]. They are listed in docs/exports.md.
    #[serde(default)]
    pub(super) accept: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeys {
    /// An https address, or "sandbox" for a local API inside the process. Left out: "https://services.traxretail.com".
    pub(super) base_url: Option<Spanned<String>>,
    /// The version in the address. Left out: "v4".
    pub(super) version: Option<Spanned<String>>,
    /// The project's name, as Trax gave it. Required, but for the sandbox.
    pub(super) project: Option<Spanned<String>>,
    /// The last part of the address; the vendor's pages have both. Left out: "session".
    #[schemars(extend("enum" = RESOURCES))]
    pub(super) resource: Option<String>,
    /// The environment variable that holds the token, never the token itself. Left out: "TRAX_TOKEN".
    pub(super) token_env: Option<Spanned<String>>,
    /// A file that holds the token and nothing else, in place of token_env.
    pub(super) token_file: Option<Spanned<String>>,
    /// A certificate (PEM) to trust beside the system's.
    pub(super) ca_file: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadKeys {
    /// Requests per second, retries counted, such as "120/s", "30/min" or "0.5/s"; the vendor allows 150/s. Left out:
    /// "120/s".
    pub(super) rate: Option<Spanned<String>>,
    /// How many requests may go at once after a quiet time. Left out: 1.
    #[schemars(range(min = 1, max = MAX_BURST))]
    pub(super) burst: Option<u32>,
    /// Requests under way at the same time. Left out: as many as rate and latency need.
    #[schemars(range(min = 1, max = MAX_IN_FLIGHT))]
    pub(super) max_in_flight: Option<u32>,
    /// The longest time for a whole request, such as "30s" or "1m30s". Left out: "30s".
    pub(super) timeout: Option<Spanned<String>>,
    /// The longest time for the connection alone. Left out: "10s".
    pub(super) connect_timeout: Option<Spanned<String>>,
    /// Attempts for one visit; those in an outage and those answered 429 do not count. Left out: 5.
    #[schemars(range(min = 1, max = MAX_ATTEMPTS))]
    pub(super) max_attempts: Option<u32>,
    /// The waits between the attempts of a visit, such as { first = "500ms", max = "60s" }.
    #[serde(default)]
    pub(super) backoff: BackoffKeys,
    /// How long an outage of the whole API is waited out, such as "1h". Left out: "10m".
    pub(super) patience: Option<Spanned<String>>,
    /// How long a run may take, from its start, such as "5h"; the rest is not attempted. Left out: as long as it takes.
    pub(super) max_duration: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BackoffKeys {
    /// The longest first wait. Left out: "500ms".
    pub(super) first: Option<Spanned<String>>,
    /// The longest wait of all. Left out: "60s".
    pub(super) max: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultsKeys {
    /// The result file; {name}, {date} (or {date:%Y/%m/%d}) and {time} (the run's start, 20240305T081233Z) are filled
    /// in. Left out: "results/{name}-{date}.csv" with --date, else "results/{name}.csv".
    pub(super) path: Option<Spanned<String>>,
    /// Result files of earlier runs, in which a run looks up what was delivered already: a path, a glob or a list of them, with
    /// the same placeholders. Left out: `path` with * for {date} and {time}. []: none.
    pub(super) earlier: Option<Spanned<EarlierFiles>>,
    /// A file of metrics for Prometheus, with the same placeholders; its name ends in .prom.
    pub(super) metrics: Option<Spanned<String>>,
    /// Whether a page is made beside the result file, under its name and .html.
    #[serde(default)]
    pub(super) report: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotifyKeys {
    /// An https address that gets a POST when a run ends. Such an address is a secret: url_env is safer.
    pub(super) url: Option<Spanned<String>>,
    /// The environment variable that holds the address, in place of url.
    pub(super) url_env: Option<Spanned<String>>,
    /// Which runs are reported. Left out: "not_delivered", which is every run whose exit code is not 0.
    #[schemars(extend("enum" = words(&WHENS)))]
    pub(super) when: Option<Spanned<String>>,
    /// The longest time for a notification, at most "5m". Left out: "10s".
    pub(super) timeout: Option<Spanned<String>>,
}
