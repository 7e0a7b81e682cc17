//! What the program says of itself: completions for shells and the manual page.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Workdir};
use std::path::Path;
use std::process::{Command, Stdio};

fn printed(args: &[&str]) -> String {
    let done = Workdir::new().traxload_with(args, &[]).ends_with(0);
    assert_eq!(done.stderr, "");
    done.stdout
}

#[test]
fn the_version_names_the_commit_and_manifests_say_the_same() {
    let said = printed(&["--version"]);
    let version = said.trim_end().strip_prefix("traxload ").expect("the program's name");
    let number = env!("CARGO_PKG_VERSION");
    assert!(version == number || version.starts_with(&format!("{number} (")), "{version}");
    // Of an unpacked archive, or one in somebody else's repository, nobody knows the commit.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    if sources.join(".git").exists() && option_env!("TRAXLOAD_COMMIT").is_none() {
        let commit = version.rsplit(['(', ')']).nth(1).expect("a commit").trim_end_matches("-dirty");
        // One may have been made since the build.
        let is_ours =
            Command::new("git").args(["merge-base", "--is-ancestor", commit, "HEAD"]).current_dir(sources).status();
        assert!(is_ours.is_ok_and(|status| status.success()), "{version} is of no commit");
    }
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to("sandbox")).ends_with(0);
    let manifest: serde_json::Value = serde_json::from_str(&work.read("results.csv.json")).expect("JSON");
    assert_eq!(manifest["traxload"], version);
}

#[test]
fn every_shell_gets_completions_with_all_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(&["completions", shell]);
        for word in ["rerun", "check", "schema", "max-duration", "accept"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    Workdir::new().traxload(&["completions", "cmd"]).ends_with(2).says(&["powershell"]);
}

#[test]
fn bash_takes_its_completions() {
    let work = Workdir::new();
    work.write("traxload.bash", printed(&["completions", "bash"]));
    let line = "bash -n traxload.bash && bash -c '. ./traxload.bash && complete -p traxload'";
    let done = work.shell(line).ends_with(0);
    assert!(done.stdout.contains("_traxload"), "{}", done.stdout);
}

#[test]
fn the_manual_page_has_all_commands_exit_codes_and_the_environment() {
    let page = printed(&["man"]);
    assert!(page.contains(".TH traxload 1"), "{page}");
    for command in ["run", "check", "rerun", "report", "ids", "sandbox", "schema", "completions", "man"] {
        assert!(page.contains(&format!(".SS \"traxload {command}\"")), "{command} in {page}");
    }
    for section in ["SYNOPSIS", "OPTIONS", "COMMANDS", "\"EXIT STATUS\"", "ENVIRONMENT"] {
        assert!(page.contains(&format!(".SH {section}")), "{section} in {page}");
    }
    for term in ["143", "TRAX\\_TOKEN", "NO\\_COLOR", "TMPDIR"] {
        let plain = term.replace("\\_", "_");
        assert!(page.contains(term) || page.contains(&plain), "{term} in {page}");
    }
}

#[test]
fn groff_has_nothing_to_say_against_the_manual_page() {
    // Every machine with `man` has it; other machines cannot check the page.
    let Ok(found) = Command::new("groff").arg("--version").stdout(Stdio::null()).status() else { return };
    assert!(found.success());
    let work = Workdir::new();
    work.write("traxload.1", printed(&["man"]));
    let done = work.shell("groff -man -Tutf8 -ww traxload.1").ends_with(0);
    assert_eq!(done.stderr, "");
    assert!(done.stdout.contains("visit_date") && done.stdout.lines().count() > 150, "{}", done.stdout);
}
