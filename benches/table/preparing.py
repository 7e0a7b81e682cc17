"""The stages without a network: exports to checked visits, against Polars and DuckDB."""

import hashlib
import shutil
import subprocess

from measuring import Failed, Spread, alternate, once, peak, raw, say, seconds, size, times, walls


def check(bench, folder, form="csv", options=(), env=None):
    """`check` of the exports in a folder."""
    job = bench.here / "jobs" / f"{form}.toml"
    return once([bench.binary, "check", job, *options], cwd=folder, env=env)


def yardstick(bench, engine, folder, form, options=()):
    """One of the other two; what it writes is thrown away."""
    out = bench.work / "bodies.parquet"
    try:
        return once([bench.python, bench.here / f"{engine}_prepare.py", folder, form, out, *options])
    finally:
        out.unlink(missing_ok=True)
        shutil.rmtree(f"{out}.spill", ignore_errors=True)


def line(what, runs, against):
    """A row of the table: how much longer than `against` it took."""
    ratio = walls(runs).median / walls(against).median
    return [what, walls(runs).written(seconds), size(peak(runs)), times(ratio)]


def versus(bench, form):
    """`check` against both engines, and the writing of all bodies, which they cannot leave out."""
    folder = bench.exports("shuffled")
    bodies = bench.work / "bodies.jsonl"

    def with_bodies():
        try:
            return check(bench, folder, form, ["--payloads", bodies])
        finally:
            bodies.unlink(missing_ok=True)

    found = alternate({
        "traxload check": lambda: check(bench, folder, form),
        "traxload check --payloads": with_bodies,
        "Polars": lambda: yardstick(bench, "polars", folder, form),
        "DuckDB": lambda: yardstick(bench, "duckdb", folder, form),
    }, bench.repetitions)
    ours = found["traxload check"]
    return {
        "title": f"{bench.count()}, shuffled, from {'CSV' if form == 'csv' else 'Parquet'}",
        "lines": [line(name, runs, ours) for name, runs in found.items()],
        "raw": {name: raw(runs) for name, runs in found.items()},
    }


def csv(bench):
    return versus(bench, "csv")


def parquet(bench):
    return versus(bench, "parquet")


def clustered(bench):
    """Does it help when an export has the scenes of a visit next to each other?"""
    found = alternate({
        "shuffled": lambda: check(bench, bench.exports("shuffled")),
        "clustered": lambda: check(bench, bench.exports("clustered")),
        "shuffled, Parquet": lambda: check(bench, bench.exports("shuffled"), "parquet"),
        "clustered, Parquet": lambda: check(bench, bench.exports("clustered"), "parquet"),
    }, bench.repetitions)
    against = {name: found["shuffled, Parquet" if "Parquet" in name else "shuffled"] for name in found}
    return {
        "title": f"{bench.count()}, scenes of a visit next to each other or not",
        "lines": [line(f"traxload check, {name}", runs, against[name]) for name, runs in found.items()],
        "raw": {name: raw(runs) for name, runs in found.items()},
    }


def large(bench):
    """Ten times as many visits with little memory, against the usual number with as much as it likes."""
    folder, few = bench.exports("large"), bench.exports("shuffled")
    memory = f"{max(1, 512 * bench.visits // 1_000_000)}MB"
    temporary = bench.emptied("temporary")
    env = bench.env | {"TMPDIR": str(temporary)}

    def limited():
        done = check(bench, folder, "csv", ["--memory", memory], env)
        if "temporary files" not in done.said:
            raise Failed(f"nothing went to temporary files with {memory}")
        if left := list(temporary.iterdir()):
            raise Failed(f"temporary files are left: {left}")
        return done

    contenders = {f"traxload check, memory = {memory}": limited}
    contenders["traxload check"] = lambda: check(bench, folder)
    contenders["Polars"] = lambda: yardstick(bench, "polars", folder, "csv")
    found = alternate(contenders, bench.large_repetitions)
    usual = alternate({"a tenth of it": lambda: check(bench, few)}, bench.large_repetitions)["a tenth of it"]
    ours = found[next(iter(found))]
    lines = [line(name, runs, ours) for name, runs in found.items()]
    if bench.duckdb_large:
        lines.append(duckdb_with_a_limit(bench, folder))
    per_visit = Spread([run.wall / (10 * bench.visits) * 1e6 for run in ours])
    usually = Spread([run.wall / bench.visits * 1e6 for run in usual])
    micro = lambda value: f"{value:.2f} µs"
    lines.append(["time per visit", per_visit.written(micro), "", f"{times(per_visit.median / usually.median)} of "
                  f"{micro(usually.median)} with a tenth of the visits, in memory"])
    same, parts = same_bodies(bench, few, env)
    lines.append([f"bodies with and without a limit ({parts})", "the same" if same else "DIFFERENT", "", ""])
    lines.append(["temporary files left", "none", "", ""])
    return {
        "title": f"{bench.count(10)}, shuffled, from CSV",
        "lines": lines,
        "raw": {name: raw(runs) for name, runs in (found | {"a tenth of it": usual}).items()} | {"same_bodies": same},
    }


def duckdb_with_a_limit(bench, folder):
    limit = f"{max(1, 1000 * bench.visits // 1_000_000)}MB"
    say(f"  DuckDB with {limit}: it may take minutes and fail")
    try:
        done = yardstick(bench, "duckdb", folder, "csv", [limit])
    except Failed as failure:
        say(f"  {failure}")
        return [f"DuckDB, {limit}", "gives up", "", ""]
    return [f"DuckDB, {limit}", seconds(done.wall), size(done.peak), ""]


def same_bodies(bench, folder, env):
    """Whether the limit leaves no trace in what would be sent. Past the limit, bodies come in any order."""
    digests = []
    memory = f"{max(1, 100 * bench.visits // 1_000_000)}MB"
    for options in ([], ["--memory", memory]):
        bodies = bench.work / "bodies.jsonl"
        try:
            done = check(bench, folder, "csv", ["--payloads", bodies, *options], env)
            if bool(options) != ("temporary files" in done.said):
                raise Failed(f"check {' '.join(options)} used the disk where it should not, or the other way round")
            digests.append(digest_of_sorted(bench, bodies))
        finally:
            bodies.unlink(missing_ok=True)
    return digests[0] == digests[1], f"{bench.count()}, {memory}"


def digest_of_sorted(bench, path):
    command = ["sort", f"--temporary-directory={bench.work}", "--buffer-size=512M", str(path)]
    digest = hashlib.sha256()
    with subprocess.Popen(command, env=bench.env | {"LC_ALL": "C"}, stdout=subprocess.PIPE) as sort:
        while block := sort.stdout.read(1 << 20):
            digest.update(block)
    if sort.returncode != 0:
        raise Failed(f"sort ended with {sort.returncode}")
    return digest.hexdigest()
