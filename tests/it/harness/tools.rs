//! Programs that some tests need and that a machine may lack.

/// Says that a test was skipped because a tool is missing. Where `TRAXLOAD_REQUIRE_TOOLS` is set, as in CI, that is a failure:
/// a test that is always skipped holds nothing.
#[track_caller]
pub fn skipped(why: &str) {
    let is_required = std::env::var_os("TRAXLOAD_REQUIRE_TOOLS").is_some_and(|value| !value.is_empty());
    assert!(!is_required, "{why}, and TRAXLOAD_REQUIRE_TOOLS is set");
    eprintln!("skipped: {why}");
}
