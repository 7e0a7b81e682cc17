"""An executor is killed in the middle of a large table: the rows are those of one machine."""

import os
import pathlib
import signal
import threading
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from one_machine import JOB, comparable, prepared
from traxload.spark import prepare

VISITS, SCENES, BUCKETS = 100_000, 800_000, 12

# The store with zeros in front, the day and the rep make a visit; each system writes them in its own way.
COMPOSITE = JOB.replace(
    'store_number = "store"', 'store_number = { column = "store", pad = 8 }\nvisit_date = "day"\nemail_address = "mail"'
)
for columns in ('["store", "day", "rep"]', '["shop", "on", "by"]'):
    COMPOSITE = COMPOSITE.replace('visit_id = "visit"', f'visit_id = {{ columns = {columns}, separator = "|", pad = 8 }}', 1)


def exports():
    """Visits, and scenes in the order in which their photos were taken."""
    chance = np.random.default_rng(5)
    at = np.arange(VISITS)
    stores, days, reps = at % 4_000, 19_000 + at // 4_000, at % 7
    mails = np.where(at % 97 == 0, "no address", "rep@example.com")
    visits = pa.table(
        {
            "store": pa.array(stores),
            "day": pa.array(days.astype("datetime64[D]")),
            "rep": pa.array(np.char.add("Rep ", reps.astype(str))),
            "started": pa.array(days * 86_400 + 40_000 + at % 3_600),
            "mail": pa.array(mails),
        }
    )
    # Some belong to no visit, some visits have none, and some scenes go under a key that is nearly right.
    of = chance.integers(0, VISITS + 2_000, SCENES)
    of[of % 1_001 == 0] += 1
    taken = chance.permutation(SCENES)
    shops = np.char.add(np.char.add(" ", np.char.zfill((of % 4_000).astype(str), 6)), np.where(of % 3 == 0, "\t", "  "))
    by = np.char.add(np.where(of % 5_003 == 0, "REP ", "Rep "), (of % 7).astype(str))
    scenes = pa.table(
        {
            "shop": pa.array(shops),
            "on": pa.array((19_000 + of // 4_000).astype("datetime64[D]").astype(str)),
            "by": pa.array(by),
            "photo": pa.array(np.char.add("p", taken.astype(str))),
            "taken": pa.array(taken),
        }
    )
    return visits, scenes.sort_by("taken")


def test_an_executor_that_is_killed_costs_nothing(spark, cluster, tmp_path):
    visits, scenes = exports()
    expected = prepared(tmp_path, COMPOSITE, visits, scenes)
    assert {"prepared", "invalid"} == {row[5] for row in expected} and len(expected) == VISITS
    assert sum("near_key" in (row[7] or "") for row in expected) > 10

    shuffled = scenes.take(np.random.default_rng(6).permutation(SCENES))
    pq.write_table(shuffled, tmp_path / "shuffled.parquet", compression="none", row_group_size=100_000)
    pq.write_table(visits, tmp_path / "plain.parquet", compression="none")
    dataframes = [spark.read.parquet(str(tmp_path / name)) for name in ("plain.parquet", "shuffled.parquet")]
    rows = prepare(*dataframes, COMPOSITE, buckets=BUCKETS, order=["taken"])

    before = set(cluster.calls()[0])
    folder = tmp_path / "of the cluster"
    writing = threading.Thread(target=lambda: rows.write.parquet(str(folder)))
    began = time.monotonic()
    writing.start()
    killed = kill_an_executor_with_a_bucket(cluster, before, writing)
    writing.join()
    print(f"{time.monotonic() - began:.1f} s")

    calls = [bucket for bucket, process in cluster.calls()[0] if (bucket, process) not in before]
    assert len(set(calls)) == BUCKETS
    # The bucket that was cut short was prepared once more.
    assert calls.count(killed) >= 2, calls
    assert (folder / "_SUCCESS").exists()
    assert comparable(pq.read_table(folder).to_pylist()) == expected


def kill_an_executor_with_a_bucket(cluster, before, writing):
    """Kills an executor whose bucket is being prepared, once another bucket is done. Returns the bucket."""
    while writing.is_alive():
        began, ended = cluster.calls()
        began = [call for call in began if call not in before]
        if any(process in ended for _, process in began):
            for bucket, process in began:
                executor = None if process in ended else executor_of(process)
                if executor and process not in cluster.calls()[1]:
                    os.kill(executor, signal.SIGKILL)
                    return bucket
        time.sleep(0.01)
    raise AssertionError("all was over before an executor could be killed")


def executor_of(process):
    """The Java process that a process was started by, directly or not."""
    try:
        while process > 1:
            if b"CoarseGrainedExecutorBackend" in pathlib.Path(f"/proc/{process}/cmdline").read_bytes():
                return process
            process = int(pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        pass  # It has ended.
    return None
