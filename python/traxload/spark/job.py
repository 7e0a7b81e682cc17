"""The job file, on the driver: what the program says of it, and what the executors get."""

import datetime
import json
import os
import pathlib
import re
import tempfile

try:
    import tomllib
except ModuleNotFoundError:  # Python before 3.11.
    import tomli as tomllib

from .program import run

# What ids are made from, under [api], and what a job cannot be without there.
_OF_IDS = ("base_url", "version", "project", "resource")
# Lists of known values, under [check].
_LISTS = ("stores", "users", "task_codes", "visit_types")


def describe(job, date):
    """What the program says of a job: its columns, its keys, its version. `job`: the path of its file, or its text."""
    options = ["--describe", *(["--date", str(date)] if date else [])]
    if not _is_text(job):
        return json.loads(run(["prepare", os.fspath(job), *options], "the job"))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "job.toml")
        path.write_text(job, encoding="utf-8")
        return json.loads(run(["prepare", str(path), *options], "the job"))


def parsed(job):
    """The keys of a job that was described."""
    return tomllib.loads(job if _is_text(job) else pathlib.Path(job).read_text(encoding="utf-8-sig"))


def separator(keys, section):
    """What stands between the parts of the key of a section's visits."""
    key = keys[section]["columns"]["visit_id"]
    return key.get("separator", "-") if isinstance(key, dict) else "-"


def _is_text(job):
    return isinstance(job, str) and "\n" in job


def for_executors(keys, date):
    """The files that a bucket is prepared with, by their names: the job file, and the lists that it names.

    Executors have no lists at their paths. They are given no word of what only reading and sending need: there are secrets
    among it."""
    keys, files = dict(keys), {}

    def taken(path):
        name = f"list-{len(files)}.csv"
        files[name] = pathlib.Path(_dated(path, date)).read_bytes()
        return name

    def with_map(column):
        has_file = isinstance(column, dict) and "map_file" in column
        return {**column, "map_file": taken(column["map_file"])} if has_file else column

    for section in ("visits", "scenes"):
        columns = {field: with_map(column) for field, column in keys[section]["columns"].items()}
        of_exports = {key: value for key, value in keys[section].items() if key != "command"}
        keys[section] = {**of_exports, "path": f"{section}.parquet", "columns": columns}
    check = keys.get("check", {})
    keys["check"] = {**check, **{name: taken(check[name]) for name in _LISTS if name in check}}
    for section in ("upload", "results", "notify", "shuffle"):
        keys.pop(section, None)
    if "api" in keys:
        keys["api"] = {key: value for key, value in keys["api"].items() if key in _OF_IDS}
    files["job.toml"] = "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in keys.items()).encode()
    return files


def _dated(path, date):
    """A path with its day, which was described with it: every placeholder is one."""
    day = date and datetime.date.fromisoformat(str(date))
    return re.sub(r"\{date(?::([^{}]*))?\}", lambda form: day.strftime(form[1] or "%Y-%m-%d"), path) if day else path


def _toml(value):
    """A value as TOML, on one line. Texts are written as in JSON, which TOML reads likewise."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
