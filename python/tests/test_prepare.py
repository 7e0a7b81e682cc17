"""Rows of a cluster are those that one machine makes of the same exports in the same order."""

import datetime
import decimal
import random
import subprocess
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.errors import PythonException
from pyspark.sql import functions as F

from conftest import PROGRAM
from one_machine import JOB, comparable, prepared
from traxload.spark import prepare

START = 1709712000


def visits(keys, store="7", started=START):
    return pa.table(
        {"visit": keys, "store": pa.array([store] * len(keys)), "started": pa.array([started] * len(keys), pa.int64())}
    )


def scenes(keys, photos=None):
    return pa.table({"visit": keys, "photo": pa.array(photos or [str(at) for at in range(len(keys))])})


def of_cluster(spark, job, *exports, **options):
    """The rows of a cluster, which gets the exports in some order."""
    dataframes = [None, None]
    with tempfile.TemporaryDirectory() as folder:
        for at, table in enumerate(exports):
            order = pa.array(random.Random(3).sample(range(table.num_rows), table.num_rows), pa.int64())
            pq.write_table(table.take(order), f"{folder}/{at}.parquet", compression="none", store_schema=False)
            dataframes[at] = spark.read.parquet(f"{folder}/{at}.parquet")
        return comparable(row.asDict() for row in prepare(*dataframes, job, **{"buckets": 3, **options}).collect())


def test_near_keys_meet_in_one_bucket(spark, tmp_path):
    slips = [
        str.upper,
        lambda key: "0" + key,
        lambda key: key[0] + "\u200b" + key[1:],
        lambda key: key + "\u00a0",
        lambda key: key + "x",
    ]
    keys = [f"{number}-visit" for number in range(1, 41)]
    exports = visits(keys), scenes([slips[at % 5](key) for at, key in enumerate(keys)] + keys[::2])
    rows = prepared(tmp_path, JOB, *exports)
    assert of_cluster(spark, JOB, *exports, buckets=12) == rows
    assert sum("near_key" in (row[7] or "") for row in rows) == 32


@pytest.mark.parametrize(
    "keys",
    [
        (pa.array([1001, 1002, None], pa.int32()), pa.array([1001.0, 1002.0, None])),
        (pa.array([decimal.Decimal("1001.00"), decimal.Decimal(0), None], pa.decimal128(20, 2)), pa.array(["1001", " 0 ", ""])),
        (pa.array([b"a1", "bé".encode(), b""]), pa.array(["a1", "bé", None])),
        (pa.array([datetime.date(2024, 3, day) for day in (5, 6, 7)]), pa.array([f"2024-03-0{day}" for day in (5, 6, 7)])),
    ],
    ids=["integers and floats", "decimals and text", "binary and text", "days and text"],
)
def test_keys_meet_whatever_the_types_of_their_columns(spark, tmp_path, keys):
    exports = visits(keys[0]), scenes(keys[1])
    rows = prepared(tmp_path, JOB, *exports)
    assert of_cluster(spark, JOB, *exports) == rows
    assert [row[5] for row in rows].count("prepared") >= 2


def test_moments_are_instants_in_whatever_zone_the_session_is(spark, tmp_path):
    moments = [datetime.datetime(2024, 3, 5, 23, 0), datetime.datetime(2024, 3, 6, 8, 12, 33)]
    keys = pa.array(["a", "b"])
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        exports = visits(keys).set_column(2, "started", pa.array(moments, kind)), scenes(keys)
        assert of_cluster(spark, JOB, *exports) == prepared(tmp_path, JOB, *exports)
    job = JOB.replace('visit_id = "visit"', 'visit_id = { columns = ["store", "started"] }', 1)
    job = job.replace('visit_id = "visit"\nscene', 'visit_id = { columns = ["store", "at"] }\nscene')
    at = pa.table({"store": ["7", "7"], "at": pa.array(moments, pa.timestamp("us")), "photo": ["1", "2"]})
    exports = visits(keys).set_column(2, "started", pa.array(moments, pa.timestamp("us", "UTC"))), at
    rows = prepared(tmp_path, job, *exports)
    assert of_cluster(spark, job, *exports) == rows
    assert {row[5] for row in rows} == {"prepared"}


FLAT = JOB.replace('path = "scenes.parquet"', 'path = "visits.parquet"')


def test_a_flat_export_is_one_dataframe(spark, tmp_path):
    keys = [f"v{at // 3}" for at in range(60)]
    flat = visits(keys).append_column("photo", pa.array([f"{at:02}" for at in range(60)]))
    rows = prepared(tmp_path, FLAT, flat)
    assert of_cluster(spark, FLAT, flat) == rows
    df = spark.createDataFrame(flat)
    assert comparable(row.asDict() for row in prepare(df, df, FLAT, buckets=2).collect()) == rows
    # Visits and scenes may come from two tables all the same.
    assert of_cluster(spark, FLAT, visits(keys), scenes(keys, flat.column("photo").to_pylist())) == rows
    with pytest.raises(ValueError, match="give both"):
        prepare(df, None, JOB)


def test_a_side_may_be_empty(spark, tmp_path):
    keys = pa.array(["a", "b", "c"])
    for exports in [(visits(keys), scenes(keys)[:0]), (visits(keys)[:0], scenes(keys)), (visits(keys)[:0], scenes(keys)[:0])]:
        assert of_cluster(spark, JOB, *exports) == prepared(tmp_path, JOB, *exports)
    # Of buckets too: here each has a visit or a scene.
    exports = visits(pa.array(["a", "b"])), scenes(pa.array(["c", "d"]))
    assert of_cluster(spark, JOB, *exports, buckets=50) == prepared(tmp_path, JOB, *exports)


def test_duplicates_count_as_on_one_machine(spark, tmp_path):
    two = pa.concat_tables([visits(pa.array(["a", "b", "b"])), visits(pa.array(["c", "A"]), store="8"), visits(pa.array(["c"]))])
    exports = two, scenes(pa.array(["a", "b", "c", "c", "c"]), ["1", "1", "1", "1", "2"])
    assert of_cluster(spark, JOB, *exports) == prepared(tmp_path, JOB, *exports)


def test_scenes_are_in_the_order_of_their_ids_or_of_the_columns_that_are_named(spark, tmp_path):
    keys, numbers = pa.array(["a"] * 12), list(range(1, 13))
    photos = [f"p{number * 7 % 13:02}" for number in numbers]
    by_number = scenes(keys, photos).append_column("taken", pa.array(numbers))
    by_id = by_number.sort_by("photo")
    of_one = visits(pa.array(["a"]))
    assert of_cluster(spark, JOB, of_one, by_number) == prepared(tmp_path, JOB, of_one, by_id)
    by_number_there = prepared(tmp_path, JOB, of_one, by_number)
    assert of_cluster(spark, JOB, of_one, by_number, order=["taken"]) == by_number_there
    assert by_number_there != prepared(tmp_path, JOB, of_one, by_id)
    # As numbers 2 comes before 10, as text behind it.
    as_text = by_number.set_column(2, "taken", pa.array(map(str, numbers)))
    assert of_cluster(spark, JOB, of_one, as_text, order=["taken"]) == prepared(tmp_path, JOB, of_one, as_text.sort_by("taken"))


def test_a_job_brings_its_lists_filters_and_maps(spark, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/stores-2024-03-06.csv").write_text("store\n000007\n")
    (tmp_path / "lists/types.csv").write_text("mensuel,801\n")
    (tmp_path / "job file.toml").write_text(
        JOB.replace(
            'store_number = "store"',
            'store_number = { column = "store", pad = 6 }\nvisit_type_id = { column = "Typ é", map_file = "lists/types.csv" }',
        )
        .replace("[visits.columns]", 'only = { "the state" = ["done", "ok 😀"] }\n[visits.columns]')
        .replace("[check]", '[check]\nstores = "lists/stores-{date}.csv"')
        + 'token_file = "no/such/file"\n[notify]\nurl = "https://hooks.example.com/secret"\n'
    )
    keys = pa.array([f"v{at}" for at in range(20)])
    exports = (
        visits(keys)
        .set_column(1, "store", pa.array([7, 8] * 10))
        .append_column("Typ é", pa.array((["mensuel"] * 8 + ["?", "mensuel"]) * 2))
        .append_column("the state", pa.array(["done", "ok 😀", "cancelled", "done"] * 5)),
        scenes(keys),
    )
    command_job = (tmp_path / "job file.toml").read_text().replace("{date}", "2024-03-06")
    rows = prepared(tmp_path, command_job, *exports)
    assert of_cluster(spark, "job file.toml", *exports, date="2024-03-06") == rows
    assert {row[6] for row in rows} == {None, "unknown_store", "unmapped_value"} and len(rows) == 15


def test_columns_are_found_in_any_case_and_only_those_of_the_job_are_read(spark, tmp_path):
    keys = pa.array([f"v{at}" for at in range(9)])
    exports = visits(keys), scenes(keys)
    df = spark.createDataFrame(exports[0]).withColumnsRenamed({"visit": "VISIT", "store": "Store"})
    df = df.withColumn("tags", F.array(F.lit(1))).withColumn("a.b", F.lit(1))
    rows = prepare(df, spark.createDataFrame(exports[1]), JOB, buckets=2).collect()
    assert comparable(row.asDict() for row in rows) == prepared(tmp_path, JOB, *exports)


def test_what_is_wrong_with_columns_is_said_before_anything_runs(spark):
    keys = pa.array(["a"])
    of_visits, of_scenes = spark.createDataFrame(visits(keys)), spark.createDataFrame(scenes(keys))

    def refused(visits=of_visits, scenes=of_scenes, **options):
        with pytest.raises(ValueError) as refusal:
            prepare(visits, scenes, JOB, **options)
        return str(refusal.value)

    assert refused(of_visits.withColumnRenamed("store", "stores")) == (
        "the column 'store', which the job names, is not in the DataFrame of visits; is it 'stores'?"
    )
    assert "it has 'visit', 'xyz'" in refused(scenes=of_scenes.withColumnRenamed("photo", "xyz"))
    assert "'photo', which the job names, is in the DataFrame of scenes 2 times" in refused(
        scenes=of_scenes.select("visit", "photo", F.col("photo").alias("Photo"))
    )
    assert "holds array<string> in the DataFrame of visits" in refused(of_visits.withColumn("store", F.array("store")))
    assert "'shot', which is to order the scenes, is not" in refused(order=["shot"])
    assert "'PHOTO', which is to order the scenes, is 'photo' elsewhere" in refused(order=["PHOTO"])
    assert "at least one" in refused(buckets=0)
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", True)
    try:
        assert "which buckets do not need" in refused()
    finally:
        spark.conf.unset("spark.sql.execution.arrow.useLargeVarTypes")


def test_mistakes_of_a_job_are_said_as_the_program_says_them(spark):
    df = spark.createDataFrame(visits(pa.array(["a"])))
    with pytest.raises(RuntimeError, match="(?s)the job: .* ended with 2.*did you mean `store_number`"):
        prepare(df, df, JOB.replace("store_number", "store_numer"))
    with pytest.raises(RuntimeError, match="no-such-job.toml"):
        prepare(df, df, "no-such-job.toml")


def test_a_bucket_that_fails_says_why(spark):
    keys = pa.array([b"a", b"b"])
    exports = visits(keys), scenes(pa.array([b"a", b"b\xff"]))
    with pytest.raises(PythonException) as failed:
        of_cluster(spark, JOB, *exports, buckets=1)
    assert "RuntimeError: bucket 0: " in str(failed.value) and "unreadable_scenes" in str(failed.value)


def test_rows_without_a_key_are_in_no_single_bucket(spark, cluster):
    none = spark.range(3_000).select(F.lit(None).cast("string").alias("visit"), F.col("id").cast("string").alias("photo"))
    before = len(cluster.calls()[0])
    df = spark.createDataFrame(visits(pa.array(["a"])))
    rows = prepare(df, none, JOB, buckets=8).collect()
    assert [(row.visit_id, row.error_code) for row in rows] == [("a", "no_scenes")]
    assert len({bucket for bucket, _ in cluster.calls()[0][before:]}) == 8


def test_the_number_of_buckets_follows_the_number_of_rows(spark, cluster):
    before = len(cluster.calls()[0])
    keys = spark.range(40_000).select(F.col("id").cast("string").alias("visit"))
    df = keys.select("visit", F.lit("7").alias("store"), F.lit(START).alias("started"))
    photos = keys.select("visit", F.lit("1").alias("photo"))
    rows = prepare(df, photos, JOB).groupBy("status").count().collect()
    assert [tuple(row) for row in rows] == [("prepared", 40_000)]
    assert len(cluster.calls()[0]) - before == 4


def test_what_a_cluster_has_written_is_uploaded(spark, tmp_path):
    keys = pa.array([f"v{at}" for at in range(30)])
    job = JOB.replace('"https://services.traxretail.com"', '"sandbox"') + '[results]\npath = "results.csv"\n'
    exports = [spark.createDataFrame(table) for table in (visits(keys), scenes(keys))]
    prepare(*exports, job, buckets=3).write.parquet(str(tmp_path / "prepared"))
    (tmp_path / "job.toml").write_text(job)
    done = subprocess.run([PROGRAM, "upload", "job.toml", "prepared", "-q"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results.csv").read_text().count(",uploaded,") == 30
