//! Tells the program which commit it is built from: `TRAXLOAD_VERSION` is `0.2.0 (36591c6)`, or `0.2.0 (36591c6-dirty)` where
//! the sources differ from it.
//!
//! Where there is no git, as in an image or an unpacked archive, the variable `TRAXLOAD_COMMIT` names the commit. Without both
//! it is the version alone.

use std::env;
use std::path::Path;
use std::process::Command;

/// What the program is made of. A change there builds it again anyway, so that asking git costs nothing.
const SOURCES: [&str; 4] = ["Cargo.lock", "Cargo.toml", "build.rs", "src"];

fn main() {
    println!("cargo::rerun-if-env-changed=TRAXLOAD_COMMIT");
    SOURCES.into_iter().for_each(watch);
    let commit = match env::var("TRAXLOAD_COMMIT") {
        Ok(given) => Some(given.trim().to_owned()).filter(|given| !given.is_empty()),
        Err(_) => commit_of_git(),
    };
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = commit.map_or(version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=TRAXLOAD_VERSION={version}");
}

/// The commit of this folder, if it is the top of a working tree: the sources may lie somewhere in another project's.
fn commit_of_git() -> Option<String> {
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    // Git knows where they are, also in a worktree. A commit always changes the last; where no such log is kept, the others.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", branch.as_deref().unwrap_or("HEAD"), "packed-refs", "logs/HEAD"] {
        watch(&git(&["rev-parse", "--git-path", name])?);
    }
    let commit = git(&["rev-parse", "--short=7", "HEAD"])?;
    let mut status = vec!["--no-optional-locks", "status", "--porcelain", "--"];
    status.extend(SOURCES);
    Some(if git(&status)?.is_empty() { commit } else { commit + "-dirty" })
}

/// What a command of git prints, without the line's end; `None` where it fails or there is no git.
fn git(arguments: &[&str]) -> Option<String> {
    let done = Command::new("git").args(arguments).output().ok().filter(|done| done.status.success())?;
    Some(String::from_utf8(done.stdout).ok()?.trim_end().to_owned())
}

/// Has this run again when a file changes. One that is not there would have it run each time.
fn watch(path: &str) {
    if Path::new(path).exists() {
        println!("cargo::rerun-if-changed={path}");
    }
}
