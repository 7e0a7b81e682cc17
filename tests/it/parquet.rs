//! Parquet exports: whatever type a producer chose for a column, the bodies are those of the same export as CSV.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, SCENES_HEADER, VISITS_HEADER, Workdir, body, lines};
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray,
    new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::DataType::{
    self, Binary, BinaryView, Date32, Decimal32, Decimal64, Decimal128, Decimal256, Float32, Float64, Int16, Int32,
    Int64, LargeBinary, LargeUtf8, UInt16, UInt32, UInt64, Utf8, Utf8View,
};
use arrow::datatypes::TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
use parquet::arrow::ArrowWriter;
use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
use parquet::file::writer::SerializedFileWriter;
use std::sync::Arc;

const START: i64 = 1_709_625_600;

/// The columns of three visits as text, like [`Workdir::with_visits`] writes them.
fn visits() -> Vec<(&'static str, ArrayRef)> {
    let rows: Vec<String> = (1..=3).map(crate::harness::visit).collect();
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.split(',').collect()).collect();
    let column = |at: usize| Arc::new(cells.iter().map(|row| Some(row[at])).collect::<StringArray>()) as ArrayRef;
    VISITS_HEADER.split(',').enumerate().map(|(at, name)| (name, column(at))).collect()
}

fn file(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
    let batch = columns.iter().map(|(name, array)| (*name, array.clone(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(batch).expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("in memory");
    writer.into_inner().expect("in memory")
}

/// The three visits with one column replaced.
fn with_column(name: &str, array: &ArrayRef) -> Workdir {
    let mut columns = visits();
    columns.iter_mut().find(|(known, _)| *known == name).expect("a column").1 = array.clone();
    let work = Workdir::with_visits(3);
    work.write("visits.parquet", file(&columns));
    work
}

fn job() -> JobFile {
    JobFile::new().visits("path", "\"visits.parquet\"")
}

/// Fails unless the bodies are those of the CSV export, with this column in each of these types.
#[track_caller]
fn same_in(name: &str, array: ArrayRef, types: &[DataType], job: &JobFile) {
    for kind in types {
        let work = with_column(name, &cast(&array, kind).expect("arrow can"));
        let (done, bodies) = work.check(job);
        assert_eq!(done.code, 0, "{name} as {kind}: {}", done.stderr);
        assert_eq!(bodies, [body(1), body(2), body(3)], "{name} as {kind}");
    }
}

fn dictionary(value: DataType) -> DataType {
    DataType::Dictionary(Box::new(Int32), Box::new(value))
}

fn column(name: &str) -> ArrayRef {
    visits().into_iter().find(|(known, _)| *known == name).expect("a column").1
}

const TEXTS: [DataType; 6] = [Utf8, LargeUtf8, Utf8View, Binary, LargeBinary, BinaryView];

#[test]
fn text_of_any_kind_serves_every_field() {
    for name in VISITS_HEADER.split(',') {
        same_in(name, column(name), &TEXTS, &job());
        same_in(name, column(name), &[dictionary(Utf8), dictionary(LargeUtf8)], &job());
    }
}

#[test]
fn numbers_of_any_width_serve_number_fields() {
    let types = [Int16, Int32, Int64, UInt16, UInt32, UInt64, Float32, Float64];
    let decimals = [Decimal32(9, 2), Decimal64(18, 4), Decimal128(38, 10), Decimal128(5, 0), Decimal256(40, 2)];
    let array: ArrayRef = Arc::new(Int64Array::from(vec![801; 3]));
    same_in("visit_type", array.clone(), &types, &job());
    same_in("visit_type", array.clone(), &decimals, &job());
    same_in("visit_type", array, &[dictionary(Int64)], &job());
}

#[test]
fn whole_numbers_serve_text_fields_in_plain_digits() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![1001, 1002, 1003]));
    let types = [Int16, Int32, Int64, UInt16, UInt32, UInt64, Float32, Float64, Decimal128(20, 0), Decimal64(9, 2)];
    same_in("store_code", array, &types, &job());
    let long: ArrayRef = Arc::new(Int64Array::from(vec![100_050_000_013_647; 3]));
    for kind in [Int64, UInt64, Float64, Decimal128(20, 0)] {
        let work = with_column("store_code", &cast(&long, &kind).expect("arrow can"));
        let (done, bodies) = work.check(&job());
        done.ends_with(0);
        assert!(bodies.iter().all(|body| body.contains("\"store_number\":\"100050000013647\"")), "{kind}");
    }
}

#[test]
fn a_float_that_is_not_exact_is_a_mangled_number() {
    let array: ArrayRef = Arc::new(Float64Array::from(vec![9_007_199_254_740_992.0, 12.5, 1003.0]));
    let work = with_column("store_code", &array);
    work.run(&job().and("[check]\nmax_invalid = 2")).ends_with(3);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["error_code"], &rows.of("V2")["error_code"]), ("mangled_number", "mangled_number"));
    assert_eq!((&rows.of("V3")["status"], &rows.of("V3")["source"]), ("uploaded", "visits.parquet:3"));
    assert!(rows.of("V2")["error"].contains("12.5") && rows.of("V2")["error"].ends_with("(visits.parquet:2)"));
}

#[test]
fn integer_keys_join_text_keys() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("visit_id", Arc::new(Int64Array::from(vec![7, 8])) as ArrayRef),
        ("scene_id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("task_code", Arc::new(Int64Array::from(vec![1, 2]))),
    ];
    let work = Workdir::with_rows(
        &["7,1,2024-03-05,2024-03-05T08:00:00Z,,,", "8,1,2024-03-05,2024-03-05T08:00:00Z,,,"],
        &["7,1,1", "8,2,2"],
    );
    let (_, from_csv) = work.check(&JobFile::new());
    work.write("scenes.parquet", file(&columns));
    let (done, from_parquet) = work.check(&JobFile::new().scenes("path", "\"scenes.parquet\""));
    done.ends_with(0);
    assert_eq!((from_parquet.len(), from_parquet), (2, from_csv));
}

#[test]
fn dates_may_be_date32_or_timestamps_at_midnight() {
    let midnights = (0..3).map(|_| Some(START - 8 * 3600)).collect::<TimestampSecondArray>();
    same_in("visit_date", column("visit_date"), &[Date32, DataType::Date64], &job());
    let units = [Second, Millisecond, Microsecond, Nanosecond];
    let zoneless = units.map(|unit| DataType::Timestamp(unit, None));
    same_in("visit_date", Arc::new(midnights.clone()), &zoneless, &job());
    let zoned = units.map(|unit| DataType::Timestamp(unit, Some("UTC".into())));
    same_in("visit_date", Arc::new(midnights.with_timezone("UTC")), &zoned, &job());
}

#[test]
fn zoned_timestamps_of_any_unit_are_instants_whatever_the_jobs_zone() {
    let units = [Second, Millisecond, Microsecond, Nanosecond];
    let starts = TimestampSecondArray::from(vec![START; 3]).with_timezone("UTC");
    let job = job().and("[time]\ntimezone = \"Asia/Tokyo\"");
    for zone in ["UTC", "+00:00", "-05:00", "Europe/Paris"] {
        let types = units.map(|unit| DataType::Timestamp(unit, Some(zone.into())));
        same_in("started_at", Arc::new(starts.clone()), &types, &job);
    }
}

#[test]
fn timestamps_without_a_zone_are_local_times() {
    let types = [Second, Millisecond, Microsecond, Nanosecond].map(|unit| DataType::Timestamp(unit, None));
    let wall: ArrayRef = Arc::new(TimestampSecondArray::from(vec![START + 3600; 3]));
    same_in("started_at", wall.clone(), &types, &job().and("[time]\ntimezone = \"Europe/Paris\""));
    let work = with_column("started_at", &wall);
    work.check(&job()).0.ends_with(4).says(&["zoneless_time (3)"]);
}

#[test]
fn numbers_are_epoch_seconds_or_what_the_unit_says() {
    let starts: ArrayRef = Arc::new(Int64Array::from(vec![START; 3]));
    same_in("started_at", starts, &[Int32, Int64, UInt32, UInt64, Float64, Decimal128(20, 3)], &job());
    same_in("started_at", Arc::new(Float64Array::from(vec![START as f64 + 0.9; 3])), &[Float64], &job());
    let in_ms = job().visit_column("session_start_time", "{ column = \"started_at\", unit = \"ms\" }");
    let millis: ArrayRef = Arc::new(Int64Array::from(vec![START * 1000 + 999; 3]));
    same_in("started_at", millis, &[Int64, Float64, Decimal128(20, 0)], &in_ms);
}

#[test]
fn with_a_format_numbers_are_their_digits() {
    let zoned = job().and("[time]\ntimezone = \"UTC\"");
    // Ten digits that would be seconds of 2017, if the job did not name a format.
    let starts: ArrayRef = Arc::new(Int64Array::from(vec![2_403_050_800; 3]));
    let formatted = zoned.visit_column("session_start_time", "{ column = \"started_at\", format = \"%y%m%d%H%M\" }");
    same_in("started_at", starts, &[Int64, Float64, Decimal128(20, 0), Utf8], &formatted);
    let days: ArrayRef = Arc::new(Int64Array::from(vec![20_240_305; 3]));
    let formatted = job().visit_column("visit_date", "{ column = \"visit_date\", format = \"%Y%m%d\" }");
    same_in("visit_date", days, &[Int32, Int64, Float64, Decimal128(10, 2), Utf8], &formatted);
    let half: ArrayRef = Arc::new(Float64Array::from(vec![20_240_305.5; 3]));
    with_column("visit_date", &half).check(&formatted).0.ends_with(4).says(&["bad_date (3)", "20240305.5"]);
}

#[test]
fn int96_timestamps_are_instants_whatever_the_jobs_zone() {
    let schema = "message spark { required binary visit_id (UTF8); required int96 started_at; }";
    let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default()).expect("a writer");
    let mut group = writer.next_row_group().expect("a row group");
    let mut keys = group.next_column().expect("a column").expect("the first");
    keys.typed::<ByteArrayType>().write_batch(&[ByteArray::from("V1")], None, None).expect("in memory");
    keys.close().expect("in memory");
    // Nanoseconds of the day, low half first, and the Julian day; 2440588 is 1970-01-01.
    let nanos: u64 = 8 * 3600 * 1_000_000_000;
    let mut moment = Int96::new();
    moment.set_data(nanos as u32, (nanos >> 32) as u32, 2_440_588 + (START / 86_400) as u32);
    let mut times = group.next_column().expect("a column").expect("the second");
    times.typed::<Int96Type>().write_batch(&[moment], None, None).expect("in memory");
    times.close().expect("in memory");
    group.close().expect("in memory");
    let work = Workdir::with_visits(1);
    work.write("visits.parquet", writer.into_inner().expect("in memory"));
    let job = job()
        .without(&["visit_date", "session_end_time", "visit_type_id", "email_address"])
        .visit_column("store_number", "{ value = \"7\" }")
        .and("[time]\ntimezone = \"Asia/Tokyo\"");
    let (done, bodies) = work.check(&job);
    done.ends_with(0);
    assert!(bodies[0].contains("\"visit_date\":\"2024-03-05\",\"session_start_time\":1709625600,"), "{}", bodies[0]);
}

#[test]
fn nulls_of_every_type_are_empty() {
    for (name, kinds) in [
        ("rep_email", &[Utf8, Utf8View, Binary, DataType::Null, dictionary(Utf8)] as &[DataType]),
        ("visit_type", &[Int32, Float64, Decimal128(9, 2), Utf8, DataType::Null]),
        ("ended_at", &[DataType::Timestamp(Microsecond, Some("UTC".into())), DataType::Timestamp(Second, None), Utf8]),
    ] {
        for kind in kinds {
            let (done, bodies) = with_column(name, &new_null_array(kind, 3)).check(&job());
            assert_eq!(done.code, 0, "{name} as {kind}: {}", done.stderr);
            let field = match name {
                "rep_email" => "email_address",
                "visit_type" => "visit_type_id",
                _ => "session_end_time",
            };
            assert!(bodies.len() == 3 && bodies.iter().all(|body| !body.contains(field)), "{name} as {kind}");
        }
    }
    let work = with_column("store_code", &new_null_array(&Int64, 3));
    work.check(&job()).0.ends_with(4).says(&["missing_field (3)"]);
    let nan: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN; 3]));
    let (done, bodies) = with_column("visit_type", &nan).check(&job());
    done.ends_with(0);
    assert!(bodies.iter().all(|body| !body.contains("visit_type_id")));
}

#[test]
fn text_is_trimmed_and_null_values_count_as_in_csv() {
    let cells: ArrayRef = Arc::new(StringArray::from(vec![" rep1@example.com\t", "rep2@example.com", " NULL "]));
    for kind in TEXTS {
        let work = with_column("rep_email", &cast(&cells, &kind).expect("arrow can"));
        let (done, bodies) = work.check(&job().visits("null_values", "[\"NULL\"]"));
        done.ends_with(0);
        assert_eq!(bodies[..2], [body(1), body(2)], "{kind}");
        assert!(!bodies[2].contains("email_address"), "{kind}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_a_problem_of_their_visit() {
    let cells: ArrayRef = Arc::new(BinaryArray::from(vec![b"1001".as_slice(), b"10\xff02", b"1003"]));
    let work = with_column("store_code", &cells);
    let done = work.run(&job()).ends_with(3).says(&["is not UTF-8, as text in Parquet has to be"]);
    assert!(!done.stderr.contains("in the file's encoding"), "{}", done.stderr);
    let rows = work.results();
    assert_eq!((&rows.of("V2")["error_code"], rows.count("uploaded")), ("bad_text", 2));
    // Past the memory budget as well.
    let done = work.traxload(&["rerun", "results.csv", "--memory", "1KB"]).ends_with(3);
    done.says(&["temporary files", "is not UTF-8, as text in Parquet has to be"]);
}

#[test]
fn a_value_that_no_field_can_hold_is_2() {
    let nested: ArrayRef =
        Arc::new(arrow::array::ListArray::from_iter_primitive::<arrow::datatypes::Int32Type, _, _>(vec![
            Some(vec![
                Some(1)
            ]);
            3
        ]));
    with_column("store_code", &nested).check(&job()).0.ends_with(2).says(&["store_code", "visits.parquet"]);
}

#[test]
fn folders_and_row_groups_are_read_in_order_and_places_count_rows_of_their_file() {
    let work = Workdir::with_visits(3);
    let rows = visits();
    let part = |from: usize, count: usize| -> Vec<(&str, ArrayRef)> {
        rows.iter().map(|(name, array)| (*name, array.slice(from, count))).collect()
    };
    let mut last = part(1, 2);
    last.reverse();
    work.write("v/part-0.snappy.parquet", file(&part(0, 1))).write("v/part-1.snappy.parquet", file(&last));
    work.write("v/_SUCCESS", "").write("v/._SUCCESS.crc", "x");
    let job = JobFile::new().visits("path", "\"v\"");
    let (done, bodies) = work.check(&job);
    done.ends_with(0);
    assert_eq!(bodies, [body(1), body(2), body(3)]);
    work.run(&job).ends_with(0);
    assert_eq!(&work.results().of("V3")["source"], "v/part-1.snappy.parquet:2");
}

#[test]
fn a_file_that_is_cut_encrypted_or_of_the_other_format_is_2() {
    let whole = file(&visits());
    let work = Workdir::with_visits(3);
    let refused = |bytes: &[u8], job: &JobFile, says: &[&str]| {
        work.write("visits.parquet", bytes);
        work.check(job).0.ends_with(2).says(says);
    };
    refused(&whole[..whole.len() / 2], &job(), &["visits.parquet", "cut short"]);
    refused(&whole[..whole.len() - 1], &job(), &["visits.parquet", "cut short"]);
    refused(&[b"PARE", &whole[4..whole.len() - 4], b"PARE"].concat(), &job(), &["visits.parquet", "encrypted"]);
    refused(work.read("visits.csv").as_bytes(), &job(), &["visits.parquet"]);
    refused(&whole, &job().visits("format", "\"csv\""), &["visits.parquet", "Parquet"]);
    work.write("visits.csv", &whole);
    work.check(&JobFile::new()).0.ends_with(2).says(&["visits.csv is Parquet", "format"]);
    work.check(&JobFile::new().visits("format", "\"parquet\"")).0.ends_with(0);
}

#[test]
fn a_file_without_rows_is_8_and_a_missing_column_names_the_nearest() {
    let work = Workdir::with_visits(3);
    let none: Vec<(&str, ArrayRef)> = visits().into_iter().map(|(name, array)| (name, array.slice(0, 0))).collect();
    work.write("visits.parquet", file(&none));
    work.check(&job()).0.ends_with(8);
    let wrong = job().visit_column("store_number", "\"storecode\"");
    work.check(&wrong).0.ends_with(2).says(&["\"storecode\"", "did you mean \"store_code\"", "visits.parquet"]);
}

#[test]
fn only_compares_numbers_by_their_digits() {
    let types: ArrayRef = Arc::new(Int64Array::from(vec![801, 802, 801]));
    let work = with_column("visit_type", &types);
    let (done, bodies) = work.check(&job().visits("only", "{ visit_type = [801] }"));
    done.ends_with(0);
    assert_eq!(bodies, [body(1), body(3)]);
}

#[test]
fn csv_visits_and_parquet_scenes_meet_by_their_trimmed_keys() {
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["V1 ", "\tV2"]));
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["S1", "S2"]));
    let tasks: ArrayRef = Arc::new(StringArray::from(vec!["T1", "T1"]));
    let work = Workdir::with_visits(2);
    work.write("scenes.parquet", file(&[("visit_id", keys), ("scene_id", ids), ("task_code", tasks)]));
    let (done, bodies) = work.check(&JobFile::new().scenes("path", "\"scenes.parquet\""));
    done.ends_with(0);
    assert_eq!(bodies, [body(1), body(2)]);
    work.write("scenes.csv", lines(SCENES_HEADER, &["V1,S1,T1", "V2,S2,T1"]));
    assert_eq!(work.check(&JobFile::new()).1, bodies);
}

#[test]
fn filters_see_truth_values_and_fractions_as_they_read() {
    let flag = BooleanArray::from(vec![Some(true), Some(false), None]);
    let share = Float64Array::from(vec![1.0, 0.5, 0.5]);
    for (name, array, only, expected) in [
        ("done", Arc::new(flag.clone()) as ArrayRef, "{ done = [true] }", vec![body(1)]),
        ("done", Arc::new(flag), "{ done = [\"\", false] }", vec![body(2), body(3)]),
        ("share", Arc::new(share.clone()), "{ share = [0.5] }", vec![body(2), body(3)]),
        ("share", Arc::new(share), "{ share = [1] }", vec![body(1)]),
    ] {
        let mut columns = visits();
        columns.push((name, array));
        let work = Workdir::with_visits(3);
        work.write("visits.parquet", file(&columns));
        let (done, bodies) = work.check(&job().visits("only", only));
        assert_eq!((done.code, bodies), (0, expected), "{only}: {}", done.stderr);
    }
}
