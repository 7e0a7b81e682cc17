//! How many rows a second the csv crate reads if a program does nothing else: the yardstick beside which a run looks into the
//! result files of earlier runs.
//!
//! `cargo bench --bench bare_csv -- FOLDER` reads every `.csv` there, one after the other, and prints the rate.

#![expect(clippy::expect_used, reason = "a yardstick that cannot measure has failed")]

use csv::ByteRecord;
use std::fs::read_dir;
use std::time::Instant;

fn main() {
    // Cargo adds a word of its own, and words that are meant for the steps come here too.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [folder] = words.as_slice() else { return };
    let Ok(files) = read_dir(folder) else { return };
    let paths = files.map(|file| file.expect("a file").path());
    let paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "csv")).collect();
    let (began, mut rows) = (Instant::now(), 0u64);
    for path in paths {
        let mut reader = csv::Reader::from_path(path).expect("a file");
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).expect("CSV") {
            rows += 1;
        }
    }
    println!("{:.0}", rows as f64 / began.elapsed().as_secs_f64());
}
