"""Which program runs, here on the driver or on an executor."""

import os
import shutil
import subprocess

_PLACES = (
    "the environment variable TRAXLOAD, a file `traxload` given to Spark (spark.files, addFile), the one that the Python "
    "package installed, PATH"
)


def find():
    """The path of the program."""
    for look in (lambda: os.environ.get("TRAXLOAD"), _file_of_spark, _of_the_package, lambda: shutil.which("traxload")):
        path = look()
        if path:
            return path
    raise RuntimeError(f"there is no program traxload on this machine; it is looked for in: {_PLACES}")


def _file_of_spark():
    from pyspark import SparkFiles

    try:
        path = SparkFiles.get("traxload")
    except Exception:  # Spark Connect has no such files.
        return None
    return path if os.path.isfile(path) else None


def _of_the_package():
    try:
        from traxload import find_program

        return find_program()
    except (ImportError, FileNotFoundError):  # An executor need not have the package.
        return None


def run(arguments, what, may_end_with=(0,), **options):
    """Standard output of the program. `what`: what it is run for, for people."""
    program = find()
    try:
        done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, **options)
    except OSError as error:
        raise RuntimeError(f"{what}: cannot run {program}: {error.strerror}; it was found by the first of: {_PLACES}") from None
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode not in may_end_with:
        last = "\n".join(said.splitlines()[-20:])
        raise RuntimeError(f"{what}: {program} ended with {done.returncode}\n{last}")
    return done.stdout
