"""Visits prepared on a Spark cluster, by the program itself.

    from traxload.spark import prepare

    prepare(visits, scenes, "jobs/nightly.toml").write.parquet("s3a://lake/prepared/2024-03-05")

Visits and scenes are brought into buckets by their keys (`fold`), and an executor runs `traxload prepare` on each bucket
(`bucket`). So every rule has one implementation, which is not here. Nothing is sent: that is for `traxload upload`, from one
place and at one rate. docs/spark.md says how to run it.
"""

import difflib
import sys

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.sql import functions as F
from pyspark.sql import types as T

from . import job as job_file
from .bucket import Plan
from .bucket import prepare as prepare_bucket
from .fold import folds, key_text

__all__ = ["prepare"]

# Executors need the program and pyarrow, and not this package.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

# How many visits and scenes a bucket has. An executor holds them several times over: some hundred megabytes.
_ROWS = 100_000
# For fewer it is not worth starting a program.
_FEW_ROWS = 20_000

_SCHEMA = T.StructType(
    [
        T.StructField(name, T.IntegerType() if name == "scenes" else T.StringType())
        for name in (
            "visit_id", "session_uid", "store_number", "visit_date", "scenes", "status", "error_code", "error", "body",
            "payload_sha256", "source",
        )
    ]
)  # fmt: skip
_ARROW_SCHEMA = pa.schema([(field.name, pa.int32() if field.name == "scenes" else pa.string()) for field in _SCHEMA])

_TEXT = (T.StringType, T.CharType, T.VarcharType, T.NullType)
# What the program reads of Parquet.
_SINGLE = (*_TEXT, T.BinaryType, T.BooleanType, T.NumericType, T.DateType, T.TimestampType, T.TimestampNTZType)

_LARGE = "spark.sql.execution.arrow.useLargeVarTypes"

# Columns of ours beside those of the job.
_FOLD, _BUCKET = "_traxload_fold", "_traxload_bucket"


def prepare(visits_df, scenes_df, job, buckets=None, order=None, date=None, memory="256MB"):
    """A row for each visit, prepared or invalid, as `traxload prepare` writes them.

    visits_df, scenes_df: the exports, with the columns that the job names. The second is None (or the first again) where a row
    is a scene with its visit.
    job: the path of the job file on this machine, or its text. What it says of files is passed over.
    buckets: in how many parts the visits are prepared. Left out: as many as are needed for 100,000 rows each, which are counted.
    order: columns of the scenes (of their DataFrame, used by the job or not) that give the order of the scenes of a visit.
    Left out: those of the scene_id. Numbers are in the order of numbers, text is by its bytes.
    date: the day of a job that uses {date}, as YYYY-MM-DD.
    memory: what the program may use beside Spark before it goes to disk.
    """
    if buckets is not None and buckets < 1:
        raise ValueError(f"buckets is {buckets}: there is at least one")
    if visits_df.sparkSession.conf.get(_LARGE, "false").lower() == "true":
        raise ValueError(f"{_LARGE} is true, which buckets do not need: spark.conf.set({_LARGE!r}, False)")
    said = job_file.describe(job, date)
    keys = job_file.parsed(job)
    of_visits, of_scenes = said["visits"], said["scenes"]
    if order is None:
        order = of_scenes["scene_id"]
    order = [order] if isinstance(order, str) else list(order)
    is_flat = scenes_df is None or scenes_df is visits_df
    if is_flat:
        if scenes_df is None and not said["flat"]:
            raise ValueError("the job has visits and scenes in two exports: give both DataFrames")
        if of_visits["key"] != of_scenes["key"]:
            raise ValueError(f"visits and scenes in one DataFrame have two keys: {of_visits['key']} and {of_scenes['key']}")
        of_visits = {**of_visits, "columns": list(dict.fromkeys(of_visits["columns"] + of_scenes["columns"]))}
        tables = [_chosen(visits_df, "visits", of_visits["columns"], order)]
    else:
        tables = [
            _chosen(visits_df, "visits", of_visits["columns"], []),
            _chosen(scenes_df, "scenes", of_scenes["columns"], order),
        ]
    buckets = buckets or _buckets(tables)
    plan = Plan(
        version=said["version"],
        memory=memory,
        files=job_file.for_executors(keys, date),
        visits=of_visits["columns"],
        scenes=None if is_flat else of_scenes["columns"],
        order=order,
        schema=_ARROW_SCHEMA,
    )
    grouped = [
        _bucketed(table, said[section]["key"], job_file.separator(keys, section), buckets).groupBy(_BUCKET)
        for section, table in zip(("visits", "scenes"), tables)
    ]
    if is_flat:
        return grouped[0].applyInArrow(lambda key, rows: prepare_bucket(plan, key[0].as_py(), rows), _SCHEMA)
    cogrouped = grouped[0].cogroup(grouped[1])
    return cogrouped.applyInArrow(lambda key, visits, scenes: prepare_bucket(plan, key[0].as_py(), visits, scenes), _SCHEMA)


def _chosen(df, section, names, order):
    """The columns of a DataFrame that are needed, as the job spells them."""
    is_exact = df.sparkSession.conf.get("spark.sql.caseSensitive", "false").lower() == "true"
    spelled = str if is_exact else str.lower
    columns, known = [], {}
    for name in dict.fromkeys([*names, *order]):
        whose = f"the column {name!r}, which {'the job names' if name in names else 'is to order the scenes'}"
        found = [at for at, column in enumerate(df.columns) if spelled(column) == spelled(name)]
        if not found:
            near = difflib.get_close_matches(name.lower(), [column.lower() for column in df.columns], 1)
            near = [column for column in df.columns if column.lower() in near]
            means = f"; is it {near[0]!r}?" if near else f"; it has {', '.join(map(repr, df.columns))}"
            raise ValueError(f"{whose}, is not in the DataFrame of {section}{means}")
        if len(found) > 1:
            raise ValueError(f"{whose}, is in the DataFrame of {section} {len(found)} times: drop or rename all but one")
        if known.setdefault(spelled(name), name) != name:
            raise ValueError(f"{whose}, is {known[spelled(name)]!r} elsewhere: write both alike")
        field = df.schema.fields[found[0]]
        column = F.col(_quoted(field.name))
        if not isinstance(field.dataType, _SINGLE):
            kind = field.dataType.simpleString()
            raise ValueError(f"{whose}, holds {kind} in the DataFrame of {section}: select the single value that is meant")
        if isinstance(field.dataType, _TEXT):
            column = column.cast("string")
        columns.append(column.alias(name))
    return df.select(*columns)


def _bucketed(df, key, separator, buckets):
    """A DataFrame with the number of its bucket in each row, in as many partitions."""
    schema = T.StructType([*df.schema.fields, T.StructField(_FOLD, T.StringType())])

    def with_folds(batches):
        for batch in batches:
            texts = [key_text(batch.column(batch.schema.get_field_index(name))) for name in key]
            yield batch.append_column(_FOLD, folds(texts, separator))

    df = df.mapInArrow(with_folds, schema)
    # Rows without a key belong to no visit, and may be many.
    everything = F.xxhash64(*(F.col(_quoted(name)) for name in df.columns))
    whole = F.when(F.col(_quoted(_FOLD)).isNull(), everything).otherwise(F.xxhash64(F.col(_quoted(_FOLD))))
    df = df.withColumn(_BUCKET, F.pmod(whole, F.lit(buckets)).cast("int")).drop(_FOLD)
    return df.repartition(buckets, _BUCKET)


def _buckets(dataframes):
    """How many buckets there are, by the numbers of rows."""
    df, *_ = dataframes
    rows = sum(df.count() for df in dataframes)
    partitions = df.sparkSession.conf.get("spark.sql.shuffle.partitions", "200")
    partitions = int(partitions) if partitions.isdigit() else 200  # It may be "auto".
    return max(-(-rows // _ROWS), min(partitions, -(-rows // _FEW_ROWS)), 1)


def _quoted(name):
    return "`" + name.replace("`", "``") + "`"
