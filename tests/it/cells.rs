//! What a cell is, where a job says more of a column than its name: joined columns, zeros in front, fractions of zeros,
//! values that stand for nothing. In CSV and in Parquet.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Workdir, lines, scene_uid, session_uid};
use arrow::array::{
    Array, ArrayRef, Date32Array, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    Time32MillisecondArray, Time64MicrosecondArray, TimestampMicrosecondArray, TimestampSecondArray,
};
use arrow::datatypes::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType};
use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

const START: i64 = 1_709_625_600;

fn parquet(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
    let batch = columns.iter().map(|(name, array)| (*name, array.clone(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(batch).expect("columns of one length");
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).expect("a writer");
    writer.write(&batch).expect("in memory");
    writer.into_inner().expect("in memory")
}

fn text(cells: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(cells))
}

/// The bodies of an export without problems.
#[track_caller]
fn bodies(work: &Workdir, job: &JobFile) -> Vec<Value> {
    let (done, bodies) = work.check(job);
    done.ends_with(0);
    bodies.iter().map(|body| serde_json::from_str(body).expect("JSON")).collect()
}

/// A job that maps the key, the store and the start of a visit, and the key and the id of a scene.
fn small(visits: &str, scenes: &str) -> JobFile {
    JobFile::new()
        .without(&["visit_date", "session_end_time", "visit_type_id", "email_address", "task_code"])
        .visits("path", &format!("\"{visits}\""))
        .scenes("path", &format!("\"{scenes}\""))
        .visit_column("store_number", "\"store\"")
        .visit_column("session_start_time", "\"start\"")
        .scene_column("scene_id", "\"scene\"")
        .and("[time]\ntimezone = \"UTC\"")
}

const KEY: &str = "{ columns = [\"store\", \"day\", \"rep\"] }";

#[test]
fn a_key_of_several_columns_is_their_cells_joined() {
    let work = Workdir::new();
    work.write("v.csv", lines("store,day,rep,start", &["12,2024-03-05,7,2024-03-05T08:00:00Z"]));
    work.write("s.csv", lines("rep,store,day,n", &["7, 12 ,2024-03-05,1"]));
    let job = small("v.csv", "s.csv").visit_column("visit_id", KEY).scene_column("visit_id", KEY);
    let job = job.scene_column("scene_id", "{ columns = [\"n\", \"rep\"], separator = \"/\" }");
    let found = bodies(&work, &job);
    let key = "12-2024-03-05-7";
    assert_eq!(found[0]["client_session_uid"], key);
    assert_eq!(found[0]["scenes"][0]["scene_uid"], *scene_uid(key, "1/7"));
    work.run(&job).ends_with(0);
    assert_eq!(work.results().of(key)["session_uid"], session_uid(key));

    // The same from the types that Parquet has, and from a data frame, where a day is a timestamp.
    let days: [ArrayRef; 2] = [
        Arc::new(Date32Array::from(vec![19_787])),
        Arc::new(TimestampMicrosecondArray::from(vec![(START - 8 * 3600) * 1_000_000])),
    ];
    for day in days {
        let start: ArrayRef = Arc::new(TimestampSecondArray::from(vec![START]).with_timezone("UTC"));
        let (store, rep): (ArrayRef, ArrayRef) =
            (Arc::new(Int32Array::from(vec![12])), Arc::new(Float64Array::from(vec![7.0])));
        work.write("v.parquet", parquet(&[("day", day), ("store", store), ("rep", rep), ("start", start)]));
        assert_eq!(bodies(&work, &job.clone().visits("path", "\"v.parquet\"")), found);
    }

    // An empty cell makes the whole key empty.
    work.write("v.csv", lines("store,day,rep,start", &["12,2024-03-05,,2024-03-05T08:00:00Z"]));
    work.check(&job).0.ends_with(4).says(&["missing_field", "v.csv:2"]);
}

#[test]
fn joined_texts_and_zeros_in_front_of_each_cell() {
    let work = Workdir::new();
    work.write("v.csv", lines("visit_id,store,area,start", &["1,12,3,1709625600", "2,A1,4,1709625600"]));
    work.write("s.csv", lines("visit_id,scene", &["001,1", "002,2"]));
    let job = small("v.csv", "s.csv")
        .visit_column("visit_id", "{ column = \"visit_id\", pad = 3 }")
        .visit_column("store_number", "{ columns = [\"area\", \"store\"], pad = 4, separator = \"\" }");
    let found = bodies(&work, &job);
    let stores: Vec<&Value> = found.iter().map(|body| &body["store_number"]).collect();
    assert_eq!(stores, ["00030012", "0004A1"]);
    assert_eq!(found[0]["scenes"][0]["scene_uid"], *scene_uid("001", "1"));
    let numbers = |cells: Vec<i64>| Arc::new(Int64Array::from(cells)) as ArrayRef;
    let columns = [("visit_id", numbers(vec![1, 2])), ("store", text(&["12", "A1"]))];
    let rest = [("area", numbers(vec![3, 4])), ("start", numbers(vec![START, START]))];
    work.write("v.parquet", parquet(&[columns, rest].concat()));
    assert_eq!(bodies(&work, &job.visits("path", "\"v.parquet\"")), found);
}

#[test]
fn date_and_time_of_day_in_two_columns_are_one_time() {
    let work = Workdir::new();
    work.write("s.csv", lines("visit_id,scene", &["V1,1"]));
    let job = |columns: &str| small("v.csv", "s.csv").visit_column("session_start_time", columns);
    let expect = |job: &JobFile| assert_eq!(bodies(&work, job)[0]["session_start_time"], START);
    work.write("v.csv", lines("visit_id,store,day,time", &["V1,1,05/03/2024,08:00"]));
    let formatted = job("{ columns = [\"day\", \"time\"], format = \"%d/%m/%Y %H:%M\" }");
    expect(&formatted);
    work.write("v.csv", lines("visit_id,store,day,time,y,m,d", &["V1,1,2024-03-05,08:00:00,2024,3,5"]));
    let plain = job("{ columns = [\"day\", \"time\"] }")
        .visit_column("visit_date", "{ columns = [\"d\", \"m\", \"y\"], format = \"%d %m %Y\" }");
    expect(&plain);
    let times: [ArrayRef; 3] = [
        Arc::new(Time32MillisecondArray::from(vec![8 * 3_600_000])),
        Arc::new(Time64MicrosecondArray::from(vec![8 * 3_600_000_000 + 5])),
        text(&["08:00"]),
    ];
    let days: [ArrayRef; 3] = [
        Arc::new(Date32Array::from(vec![19_787])),
        Arc::new(TimestampSecondArray::from(vec![START - 8 * 3600])),
        text(&["2024-03-05"]),
    ];
    let pairs = days.iter().flat_map(|day| times.iter().map(move |time| (day, time)));
    for (day, time) in pairs {
        let columns = [("visit_id", text(&["V1"])), ("store", text(&["1"]))];
        let clock = [("day", day.clone()), ("time", time.clone())];
        work.write("v.parquet", parquet(&[columns, clock].concat()));
        expect(&job("{ columns = [\"day\", \"time\"] }").visits("path", "\"v.parquet\""));
    }
}

#[test]
fn null_values_of_a_column_stand_for_nothing_there_and_nowhere_else() {
    let work = Workdir::new();
    work.write("s.csv", lines("visit_id,scene", &["0,1"]));
    let job = small("v.csv", "s.csv").visit_column(
        "session_end_time",
        "{ column = \"end\", null_values = [0, \"0000-00-00 00:00:00\", \"1970-01-01\"] }",
    );
    for end in ["0", "0000-00-00 00:00:00", ""] {
        work.write("v.csv", lines("visit_id,store,start,end", &[format!("0,0,1709625600,{end}")]));
        let found = bodies(&work, &job);
        assert_eq!((&found[0]["session_end_time"], &found[0]["store_number"]), (&Value::Null, &"0".into()), "{end}");
    }
    let ends: [ArrayRef; 4] = [
        Arc::new(Int64Array::from(vec![0])),
        Arc::new(Float64Array::from(vec![0.0])),
        Arc::new(TimestampSecondArray::from(vec![0]).with_timezone("UTC")),
        text(&["0000-00-00 00:00:00"]),
    ];
    let columns = |end: ArrayRef| {
        let start: ArrayRef = Arc::new(Int64Array::from(vec![START]));
        parquet(&[("visit_id", text(&["0"])), ("store", text(&["0"])), ("start", start), ("end", end)])
    };
    for end in &ends {
        work.write("v.parquet", columns(end.clone()));
        let found = bodies(&work, &job.clone().visits("path", "\"v.parquet\""));
        assert_eq!((found.len(), &found[0]["session_end_time"]), (1, &Value::Null), "{end:?}");
    }
    // Those of the section count for numbers too.
    work.write("v.parquet", columns(ends[0].clone()));
    let job = job.visit_column("session_end_time", "\"end\"").visits("path", "\"v.parquet\"");
    work.check(&job).0.ends_with(4).says(&["time_unit"]);
    let job = job.visits("null_values", "[\"0\"]").visit_column("visit_id", "{ value = \"x\" }");
    work.check(&job).0.ends_with(2).says(&["ids are made from this key"]);
}

#[test]
fn three_digits_behind_the_point_may_be_a_thousand() {
    let work = Workdir::new();
    work.write("s.csv", lines("visit_id,scene", &["V1,1", "V2,1"]));
    work.write("v.csv", lines("visit_id,store,start,type", &["V1,1,1709625600,1.000", "V2,1,1709625600,2.00"]));
    let typed = |column: &str| small("v.csv", "s.csv").visit_column("visit_type_id", column);
    work.check(&typed("\"type\"")).0.ends_with(3).says(&["bad_number", "1.000", "decimals"]);
    work.check(&typed("{ column = \"type\", decimals = \"keep\" }")).0.ends_with(3).says(&["bad_number"]);
    let found = bodies(&work, &typed("{ column = \"type\", decimals = \"drop\" }"));
    assert_eq!((&found[0]["visit_type_id"], &found[1]["visit_type_id"]), (&1.into(), &2.into()));
}

/// Visits of these stores, each with a scene of this key.
fn of_stores(cells: &[&str]) -> Workdir {
    let rows: Vec<String> = cells.iter().enumerate().map(|(n, cell)| format!("V{n},{cell},1709625600")).collect();
    let scenes: Vec<String> = (0..cells.len()).map(|n| format!("V{n},A1")).collect();
    let work = Workdir::new();
    work.write("v.csv", lines("visit_id,store,start", &rows)).write("s.csv", lines("visit_id,scene", &scenes));
    work
}

#[test]
fn ids_that_all_end_in_a_fraction_of_zeros_are_suspicious() {
    let job = small("v.csv", "s.csv");
    let work = of_stores(&["11.0", "12.0", "", "12.00"]);
    let done = work.check(&job).0.ends_with(2);
    done.says(&["decimal_ids", "store_number", "v.csv:2: \"11.0\"", "decimals = \"drop\"", "[visits.columns]"]);
    let work = of_stores(&["11.0", "12.0"]);
    let with = |decimals: &str| {
        job.clone().visit_column("store_number", &format!("{{ column = \"store\", decimals = \"{decimals}\" }}"))
    };
    assert_eq!(bodies(&work, &with("drop"))[0]["store_number"], "11");
    assert_eq!(bodies(&work, &with("keep"))[0]["store_number"], "11.0");
    let accepted = job.clone().and("[check]\naccept = [\"decimal_ids\"]");
    assert_eq!(bodies(&work, &accepted)[1]["store_number"], "12.0");
    for harmless in [&["11.0", "11.0"][..], &["10.0", "10.5", "11.0"], &["1.0", "1.1", "2.0"], &["11.0", "A2"]] {
        bodies(&of_stores(harmless), &job);
    }
}

#[test]
fn ids_that_are_written_in_two_ways_are_suspicious() {
    let work = of_stores(&["11"]);
    let flat = small("v", "s.csv");
    let visit = |key: &str, store: &str| lines("visit_id,store,start", &[format!("{key},{store},1709625600")]);
    work.write("s.csv", lines("visit_id,scene", &["V0,A", "V1,A"]));
    work.write("v/1.csv", visit("V0", "11")).write("v/2.csv", visit("V1", "11.0"));
    let done = work.check(&flat).0.ends_with(2);
    done.says(&["decimal_ids", "in two ways", "v/2.csv:2: \"11.0\"", "v/1.csv:2: \"11\""]);
    work.write("v/2.csv", visit("V1", "11.5"));
    bodies(&work, &flat);
    // The keys of visits and scenes, of which one is a float.
    let work = of_stores(&["A"]);
    work.write("v.csv", visit("7", "A")).write("s.csv", lines("visit_id,scene", &["7.0,A"]));
    let job = small("v.csv", "s.csv");
    work.check(&job).0.ends_with(2).says(&["decimal_ids", "visit_id", "[scenes.columns]", "s.csv:2: \"7.0\""]);
    let job = job.scene_column("visit_id", "{ column = \"visit_id\", decimals = \"drop\" }");
    assert_eq!(bodies(&work, &job)[0]["scenes"][0]["scene_uid"], *scene_uid("7", "A"));
}

#[test]
fn what_means_nothing_for_a_field_is_a_mistake() {
    let work = of_stores(&["11"]);
    let job = small("v.csv", "s.csv");
    let start = |column: &str| job.clone().visit_column("session_start_time", column);
    let store = |column: &str| job.clone().visit_column("store_number", column);
    for (job, says) in [
        (start("{ column = \"start\", pad = 6 }"), "`pad` has no meaning for session_start_time"),
        (start("{ column = \"start\", decimals = \"drop\" }"), "`decimals` has no meaning for session_start_time"),
        (start("{ columns = [\"start\", \"store\"], separator = \"T\" }"), "joined by a space"),
        (start("{ columns = [\"start\", \"store\"], unit = \"ms\" }"), "`unit` has no meaning for joined"),
        (store("{ column = \"store\", separator = \"-\" }"), "only with several `columns`"),
        (store("{ column = \"store\", columns = [\"store\", \"start\"] }"), "exclude each other"),
        (store("{ value = \"7\", columns = [\"store\", \"start\"] }"), "exclude each other"),
        (store("{ columns = [] }"), "no column is named"),
        (store("{ columns = [\"store\"] }"), "write `column = \"store\"`"),
        (store("{ columns = [\"store\", \"store\"] }"), "\"store\" is there twice"),
        (store("{ columns = [\"store\", \"?\"] }"), "open question"),
        (store("{ columns = [\"store\", \"stard\"] }"), "did you mean \"start\""),
        (store("{ column = \"store\", pad = 0 }"), "`pad` must be a whole number from 1 to 100"),
        (store("{ column = \"store\", decimals = \"cut\" }"), "`decimals` must be \"drop\" or \"keep\""),
        (store("{ value = \"7\", null_values = [\"0\"] }"), "`null_values` has no meaning for a constant"),
        (job.clone().visit_column("visit_type_id", "{ columns = [\"store\", \"start\"] }"), "`columns` has no meaning"),
        (job.clone().visit_column("visit_id", "{ column = \"visit_id\", separator = \"\" }"), "only with several"),
        (job.clone().scene_column("visit_id", "{ columns = [\"scene\"] }"), "there is nothing to join"),
    ] {
        work.check(&job).0.ends_with(2).says(&[says]);
    }
}

/// The checksum of gzip and Parquet.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// A number of a Thrift struct, and how many bytes it takes.
fn varint(bytes: &[u8]) -> (u32, usize) {
    let length = bytes.iter().take_while(|byte| **byte > 127).count() + 1;
    (bytes[..length].iter().rev().fold(0, |value, byte| value << 7 | u32::from(byte & 127)), length)
}

/// The file with a checksum in the header of its last page, and the place of that page's values.
fn with_checksum(file: &[u8]) -> (Vec<u8>, usize) {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(file.to_vec())).expect("a footer");
    let mut groups = metadata.row_groups().to_vec();
    let group = groups.pop().expect("a row group");
    let mut columns = group.columns().to_vec();
    let chunk = columns.pop().expect("a column");
    let (start, length) = chunk.byte_range();
    let (start, end) = (start as usize, (start + length) as usize);
    // Three numbers in front, then the kind of page: field 5, which becomes the next one after field 4.
    let mut at = start;
    let mut size = 0;
    for _ in 0..3 {
        let (value, length) = varint(&file[at + 1..]);
        (size, at) = (value as usize / 2, at + 1 + length);
    }
    assert_eq!(file[at], 0x2c, "a data page");
    let crc = crc32(&file[end - size..end]).cast_signed();
    let mut zigzag = (crc << 1 ^ crc >> 31).cast_unsigned();
    let mut field = vec![0x15];
    while zigzag > 127 {
        field.push(zigzag as u8 | 128);
        zigzag >>= 7;
    }
    field.push(zigzag as u8);
    field.push(0x1c);
    let mut out = [&file[..at], &field, &file[at + 1..end]].concat();
    let longer = chunk.compressed_size() + field.len() as i64 - 1;
    columns.push(chunk.into_builder().set_total_compressed_size(longer).build().expect("a column"));
    groups.push(group.into_builder().set_column_metadata(columns).build().expect("a row group"));
    let values = out.len() - size;
    let metadata = metadata.into_builder().set_row_groups(groups).build();
    ParquetMetaDataWriter::new(&mut out, &metadata).finish().expect("in memory");
    (out, values)
}

#[test]
fn a_page_that_does_not_fit_its_checksum_is_2() {
    let work = Workdir::new();
    work.write("s.csv", lines("visit_id,scene", &["V1,1", "V2,1"]));
    let starts: ArrayRef = Arc::new(Int64Array::from(vec![START; 2]));
    let columns = [("visit_id", text(&["V1", "V2"])), ("start", starts), ("store", text(&["0010001", "0010002"]))];
    let (mut file, values) = with_checksum(&parquet(&columns));
    let job = small("v.parquet", "s.csv");
    work.write("v.parquet", &file);
    assert_eq!(bodies(&work, &job)[1]["store_number"], "0010002");
    let digit = values + file[values..].windows(7).position(|bytes| bytes == b"0010002").expect("the store") + 6;
    file[digit] = b'7';
    work.write("v.parquet", &file);
    let done = work.run(&job).ends_with(2);
    done.says(&["v.parquet", "does not fit its checksum", "copy or export it again"]);
}

/// A file of two columns, `visit_id` and another before it.
fn with_schema(schema: &str, write: impl FnOnce(&mut SerializedFileWriter<Vec<u8>>)) -> Vec<u8> {
    let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default()).expect("a writer");
    write(&mut writer);
    writer.into_inner().expect("in memory")
}

#[test]
fn sixteen_bytes_are_a_uuid_only_where_they_are_marked_as_one() {
    let id = uuid::Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    let work = Workdir::new();
    work.write("s.csv", lines("visit_id,scene", &[format!("{id},1")]));
    let job = small("v.parquet", "s.csv")
        .visit_column("store_number", "{ value = \"7\" }")
        .visit_column("session_start_time", "{ value = \"2024-03-05T08:00:00Z\" }");
    let marked = with_schema("message m { required fixed_len_byte_array(16) visit_id (UUID); }", |writer| {
        let mut group = writer.next_row_group().expect("a row group");
        let mut column = group.next_column().expect("a column").expect("the first");
        let value = FixedLenByteArray::from(id.as_bytes().to_vec());
        column.typed::<FixedLenByteArrayType>().write_batch(&[value], None, None).expect("in memory");
        column.close().expect("in memory");
        group.close().expect("in memory");
    });
    work.write("v.parquet", marked);
    assert_eq!(bodies(&work, &job)[0]["client_session_uid"], id.to_string());
    let raw = FixedSizeBinaryArray::try_from_iter(std::iter::once(id.as_bytes())).expect("16 bytes");
    work.write("v.parquet", parquet(&[("visit_id", Arc::new(raw.clone()))]));
    work.check(&job).0.ends_with(2).says(&["\"visit_id\"", "16 raw bytes", "export it as text"]);
    // Arrow's own mark does as well.
    let mark = HashMap::from([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]);
    let field = Field::new("visit_id", raw.data_type().clone(), false).with_metadata(mark);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(raw)]).expect("a column");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("in memory");
    work.write("v.parquet", writer.into_inner().expect("in memory"));
    assert_eq!(bodies(&work, &job)[0]["client_session_uid"], id.to_string());
}

#[test]
fn a_structure_without_columns_is_passed_over() {
    let work = Workdir::new();
    work.write("s.csv", lines("visit_id,scene", &["V1,1"]));
    let job = small("v.parquet", "s.csv").visit_column("session_start_time", "{ value = \"2024-03-05T08:00:00Z\" }");
    for odd in [
        "optional group nothing { }",
        "optional group deep { optional group nothing { } }",
        "repeated group nothing { }",
        "optional group l (LIST) { repeated group list { optional group element { } } }",
        "required group half { required binary x (UTF8); required group nothing { } }",
    ] {
        let leaves = "required binary visit_id (UTF8); required binary store (UTF8);";
        let cells = if odd.contains("half") { vec!["X", "V1", "S1"] } else { vec!["V1", "S1"] };
        let file = with_schema(&format!("message m {{ {odd} {leaves} }}"), |writer| {
            let mut group = writer.next_row_group().expect("a row group");
            for cell in cells {
                let mut column = group.next_column().expect("a column").expect("one more");
                column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(cell)], None, None).expect("in memory");
                column.close().expect("in memory");
            }
            group.close().expect("in memory");
        });
        work.write("v.parquet", file);
        let found = bodies(&work, &job);
        assert_eq!((&found[0]["client_session_uid"], &found[0]["store_number"]), (&"V1".into(), &"S1".into()), "{odd}");
        let done = work.traxload(&["init", "--visits", "v.parquet", "--scenes", "s.csv"]);
        assert!(!done.stderr.contains("panicked") && done.code != 1, "{odd}: {}: {}", done.code, done.stderr);
    }
    work.write("v.parquet", with_schema("message m { optional group nothing { } }", |_| {}));
    work.check(&job).0.ends_with(8);
    let done = work.traxload(&["init", "--visits", "v.parquet", "--scenes", "s.csv"]);
    assert!(!done.stderr.contains("panicked") && done.code != 1, "{}: {}", done.code, done.stderr);
}
