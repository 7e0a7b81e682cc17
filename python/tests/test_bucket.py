"""Folders of buckets, and the program on an executor."""

import os
import subprocess
import sys

import pytest

from traxload.spark import bucket, program


def test_folders_of_killed_executors_go_and_those_in_use_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARK_EXECUTOR_DIRS", f"{tmp_path},/elsewhere")
    left, new = tmp_path / "traxload-bucket-left", tmp_path / "traxload-bucket-new"
    for folder in (left, new):
        folder.mkdir()
        (folder / "visits-1.parquet").write_text("personal")
    os.utime(left, (0, 0))
    with bucket._folder() as used:
        assert used.parent == tmp_path and used.stat().st_mode & 0o777 == 0o700
        os.utime(used, (0, 0))
        # Somebody else's bucket, meanwhile.
        command = "from traxload.spark import bucket\nwith bucket._folder(): pass"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", command], check=True, env=environment)
        assert sorted(tmp_path.iterdir()) == sorted([used, new])
    assert list(tmp_path.iterdir()) == [new]


def test_another_version_on_an_executor_is_refused(tmp_path, monkeypatch):
    script = tmp_path / "traxload"
    script.write_text("#!/bin/sh\necho 'traxload 0.0.9 (abc)'\n")
    script.chmod(0o755)
    monkeypatch.setenv("TRAXLOAD", str(script))
    with pytest.raises(RuntimeError, match="bucket 3: traxload is 0.0.9 on this executor and 0.0.8 on the driver"):
        bucket._check_version("0.0.8", "bucket 3")


def test_a_program_that_is_not_there_is_looked_for_in_places_that_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("TRAXLOAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("traxload._places", lambda: [], raising=False)
    monkeypatch.setattr("traxload._folders", lambda: [], raising=False)
    with pytest.raises(RuntimeError, match="TRAXLOAD.*spark.files.*package.*PATH"):
        program.find()
    monkeypatch.setenv("TRAXLOAD", str(tmp_path / "gone"))
    with pytest.raises(RuntimeError, match="cannot run .*gone: No such file"):
        program.run(["--version"], "the job")
