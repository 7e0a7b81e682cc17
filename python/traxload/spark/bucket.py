"""One bucket, on an executor: its visits and scenes as files, the program, and the rows that it makes of them.

Nothing here depends on which attempt of a task it is: the rows of a bucket are sorted, and its files are named after it.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import tempfile
import time
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from .program import run

# A folder that is younger may not be locked yet.
_NEW = 60


@dataclass
class Plan:
    """What an executor has to know of a job."""

    version: str
    memory: str
    # The job file and the lists that it names, by the names that they have here.
    files: dict
    # Columns of the visits, and of the scenes, that the job uses; None: a row is a visit and a scene.
    visits: list
    scenes: list
    # Columns that scenes are sorted by.
    order: list
    # Columns of the result.
    schema: pa.Schema


def prepare(plan, number, visits, scenes=None):
    """The rows that `traxload prepare` makes of a bucket."""
    with _folder() as folder:
        for name, content in plan.files.items():
            (folder / name).write_bytes(content)
        files = [f"visits-{number}.parquet", f"scenes-{number}.parquet"]
        if plan.scenes is None:
            files[1] = files[0]
            _write(visits, plan.visits, plan.order, folder / files[0])
        else:
            _write(visits, plan.visits, [], folder / files[0])
            _write(scenes, plan.scenes, plan.order, folder / files[1])
        del visits, scenes
        options = ["--bucket", "--visits", files[0], "--scenes", files[1], "-o", "prepared", "--memory", plan.memory, "--json"]
        what = f"bucket {number}"
        environment = {**os.environ, "TMPDIR": str(folder), "RAYON_NUM_THREADS": _cores()}
        _check_version(plan.version, what)
        run(["prepare", "job.toml", *options], what, may_end_with=(0, 3), cwd=folder, env=environment)
        return _read(folder / "prepared", plan.schema)


def _check_version(version, what):
    _, here, *_ = run(["--version"], what).decode().split()
    if here != version:
        raise RuntimeError(f"{what}: traxload is {here} on this executor and {version} on the driver; install one version")


def _write(table, columns, order, path):
    """The rows in their order, and where that says nothing, in one that is always the same."""
    names = [*order, *(name for name in columns if name not in order)]
    if table.num_columns == 0:  # Spark gives no columns for what has no rows.
        table = pa.table({name: pa.nulls(0, pa.string()) for name in names})
    table = table.sort_by([(name, "ascending") for name in names]).select(columns)
    # Without Arrow's own schema: times in a zone are in UTC then, as in files that Spark writes, and not in the session's.
    pq.write_table(table, path, compression="none", store_schema=False)


def _read(folder, schema):
    """The prepared visits, in the types that were promised."""
    table = pq.read_table(folder)
    return table.select(schema.names).cast(schema)


def _cores():
    from pyspark import TaskContext

    context = TaskContext.get()
    return str(context.cpus() if context else 1)


@contextlib.contextmanager
def _folder():
    """A folder that goes when the bucket is done. What a killed task leaves, the next bucket of its executor removes; what a killed
    executor leaves, the cluster does, in whose folder for the executor it is."""
    given = [os.environ.get(name, "") for name in ("SPARK_EXECUTOR_DIRS", "LOCAL_DIRS", "SPARK_LOCAL_DIRS")]
    given = [path for paths in given for path in paths.replace(os.pathsep, ",").split(",") if os.path.isdir(path)]
    base = pathlib.Path(given[0] if given else tempfile.gettempdir())
    for old in base.glob("traxload-bucket-*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _NEW:
                with _lock(old):
                    shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="traxload-bucket-", dir=base) as folder:
        with contextlib.ExitStack() as lock:
            with contextlib.suppress(OSError):  # Where there are no locks, nobody removes anything.
                lock.enter_context(_lock(folder))
            yield pathlib.Path(folder)


@contextlib.contextmanager
def _lock(folder):
    """A lock that dies with its process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
