"""What one machine makes of the same exports."""

import re
import subprocess

import pyarrow.parquet as pq

from conftest import PROGRAM

JOB = """
name = "cluster"
[visits]
path = "visits.parquet"
[visits.columns]
visit_id = "visit"
store_number = "store"
session_start_time = "started"
[scenes]
path = "scenes.parquet"
[scenes.columns]
visit_id = "visit"
scene_id = "photo"
[time]
timezone = "Europe/Paris"
[check]
max_invalid = "100%"
[api]
base_url = "https://services.traxretail.com"
version = "v4"
project = "demo"
"""

EQUAL = "visit_id session_uid store_number visit_date scenes status error_code error body payload_sha256".split()


def prepared(folder, job, visits, scenes=None):
    """The rows of one machine. `visits`, `scenes`: Arrow tables, in the order of the export."""
    (folder / "job.toml").write_text(job)
    pq.write_table(visits, folder / "visits.parquet", store_schema=False)
    if scenes is not None:
        pq.write_table(scenes, folder / "scenes.parquet", store_schema=False)
    command = [PROGRAM, "prepare", "job.toml", "-o", "prepared", "--overwrite", "--allow-empty"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode in (0, 3), done.stderr
    return comparable(pq.read_table(folder / "prepared").to_pylist())


def comparable(rows):
    """Rows without the places in files, sorted."""
    rows = [tuple(row[name] for name in EQUAL) for row in rows]
    error = EQUAL.index("error")
    rows = [
        row if row[error] is None else (*row[:error], re.sub(r"[\w-]+\.parquet:\d+", "FILE", row[error]), *row[error + 1 :])
        for row in rows
    ]
    return sorted(rows, key=lambda row: tuple(map(str, row)))
