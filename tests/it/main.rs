//! The behaviour of the program, one file a subject. Nearly all of it runs the real binary in a scratch folder, against the
//! sandbox or a server that answers by a script.

mod harness;

mod between_runs;
mod broken_disks;
mod browser;
mod cells;
mod cloud;
mod commands;
mod csv_text;
mod describe;
mod docs;
mod ends;
mod exit_codes;
mod exports;
mod files;
mod folders;
mod init;
mod init_producers;
mod jobs;
mod kill_loop;
mod logs;
mod max_duration;
mod memory;
mod messages;
mod metrics;
mod near_keys;
mod nightly;
mod notify;
mod outcomes;
mod parquet;
mod prepared;
mod problems;
mod report;
mod rerun;
mod result_files;
mod resume;
mod sandbox;
mod schema;
mod secrets;
mod shared_rate;
mod slices;
mod standstills;
mod suspicions;
mod times;
mod year;
