"""A Spark cluster on this machine for the tests: a master and two workers, each a process that ends with the tests. The
executors have nothing of the package, and find the program among Spark's files, as a script that notes each of its calls."""

import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
os.environ["PYSPARK_PYTHON"] = sys.executable

PROGRAM = pathlib.Path(os.environ.get("TRAXLOAD", "target/debug/traxload")).resolve()
os.environ["TRAXLOAD"] = str(PROGRAM)

# For a Java that does not run for long.
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"

NOTING = """#!/bin/sh
case "$*" in *--bucket*) ;; *) exec {program} "$@";; esac
echo "began $$ $PWD $*" >> {notes}
{program} "$@"
code=$?
echo "ended $$" >> {notes}
exit $code
"""


class Cluster:
    """Where it is, and what it did."""

    def __init__(self, folder):
        import pyspark

        self.folder = folder
        self.local = folder / "local"
        self.local.mkdir()
        self.notes = folder / "notes"
        self.notes.touch()
        self.script = folder / "traxload"
        self.script.write_text(NOTING.format(program=PROGRAM, notes=self.notes))
        self.script.chmod(0o755)
        self.processes = []
        self.home = pathlib.Path(pyspark.__file__).parent
        # Whatever port is free.
        here = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        master = self._start("Master", *here)
        self.url = self._said(master, r"Starting Spark master at (spark://\S+)")
        size = ["--cores", "1", "--memory", "1g"]
        workers = [self._start("Worker", *here, *size, "--work-dir", str(folder / f"work-{at}"), self.url) for at in range(2)]
        for worker in workers:
            self._said(worker, "(Successfully registered) with master")

    def _start(self, role, *arguments):
        environment = {name: value for name, value in os.environ.items() if name != "TRAXLOAD"}
        environment.update(
            SPARK_DAEMON_MEMORY="256m",
            SPARK_DAEMON_JAVA_OPTS=SHORT_LIVED,
            SPARK_LOCAL_DIRS=str(self.local),
            SPARK_LOCAL_IP="127.0.0.1",
            SPARK_HOME=str(self.home),
        )
        log = self.folder / f"{role}-{len(self.processes)}.log"
        command = [str(self.home / "bin/spark-class"), f"org.apache.spark.deploy.{role.lower()}.{role}", *arguments]
        with open(log, "w") as to:
            self.processes.append(subprocess.Popen(command, env=environment, stdout=to, stderr=to, start_new_session=True))
        return log

    def _said(self, log, pattern):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if found := re.search(pattern, log.read_text()):
                return found[1]
            time.sleep(0.1)
        raise AssertionError(f"{log} says nothing of {pattern}:\n{log.read_text()}")

    def calls(self):
        """The buckets that the program was called for, each with its process, and the processes that have ended."""
        lines = [line.split() for line in self.notes.read_text().splitlines()]
        began = [(line[line.index("--visits") + 1], int(line[1])) for line in lines if line[0] == "began"]
        return began, {int(line[1]) for line in lines if line[0] == "ended"}

    def folders_of_buckets(self):
        return [folder for folder, _, _ in os.walk(self.local) if "traxload-bucket-" in folder]

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster
        # What killed executors have left of their buckets goes with the cluster's other files.
        notes = cluster.notes.read_text().splitlines()
        assert all(f" {cluster.local}/" in note for note in notes if note.startswith("began"))
        until = time.monotonic() + 30
        while (left := cluster.folders_of_buckets()) and time.monotonic() < until:
            time.sleep(0.2)
        assert not left
    finally:
        cluster.end()


@pytest.fixture(scope="session")
def spark(cluster):
    from pyspark.sql import SparkSession

    options = {
        "spark.files": cluster.script,
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": SHORT_LIVED,
        "spark.executor.memory": "700m",
        "spark.executor.extraJavaOptions": SHORT_LIVED,
        "spark.sql.warehouse.dir": cluster.folder / "warehouse",
        "spark.sql.shuffle.partitions": "4",
        # Snappy is a library of the machine.
        "spark.sql.parquet.compression.codec": "uncompressed",
        # A bucket that fails is not tried four times over.
        "spark.task.maxFailures": "2",
        # Times are written and read in a zone that is not UTC.
        "spark.sql.session.timeZone": "Europe/Paris",
    }
    builder = SparkSession.builder.master(cluster.url).appName("traxload")
    for name, value in options.items():
        builder = builder.config(name, str(value))
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
