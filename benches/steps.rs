//! How fast the inner steps are: `cargo bench --features bench --bench steps`. They are in `src/bench.rs`.

fn main() {
    traxload::bench::steps();
}
