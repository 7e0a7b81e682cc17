"""The stages with a network, all of it on this machine: as fast as it goes, at a rate, and again."""

import csv
import os
import re
import shutil
import signal
import subprocess
import time
from datetime import datetime

from measuring import Failed, Spread, alternate, end, once, peak, raw, say, seconds, server, size, times, walls
from preparing import check

NGINX, SLOW = 8197, 8198
RATE = 150  # as in jobs/slow.toml
LATENCY = 200  # milliseconds
BODY = 785  # bytes, as in put.lua, about those of a visit


def finished(results, status="uploaded"):
    """When each visit of a status was done, in seconds, in order."""
    with open(results, newline="") as file:
        rows = [row["finished_at"] for row in csv.DictReader(file) if row["status"] == status]
    return sorted(datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() for at in rows)


def nginx(bench, refusing=False):
    folder = bench.emptied("nginx")
    shutil.copy(bench.here / "nginx.conf", folder)
    if refusing:
        (folder / "refusing.conf").write_text("if ($refused) { return 503; }\n")
    return server(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "nginx.log"], NGINX, folder)


def send(bench):
    """To nginx without a rate; wrk, and reqwest with nothing around it, to the same one in the same run."""
    folder, results = bench.exports("shuffled"), bench.emptied("results") / "sent.csv"
    visits = min(bench.sent, bench.visits)
    runs = []

    def traxload():
        command = [bench.binary, "run", bench.here / "jobs/nginx.toml", "--quiet", "--fresh", "--results", results]
        runs.append(once([*command, "--limit", visits], cwd=folder, env=bench.env))
        times_ = finished(results)
        if len(times_) != visits:
            raise Failed(f"{visits - len(times_)} of {visits} visits were not uploaded")
        return (visits - 1) / max(times_[-1] - times_[0], 0.001)

    def wrk():
        address = f"http://127.0.0.1:{NGINX}/api/v4/table/session/5d10a2de-3c53-5ae5-bf0e-1c5f2a7d9b48"
        command = ["wrk", "-t1", "-c64", f"-d{bench.wrk_seconds}s", "-s", bench.here / "put.lua", address]
        done = once(command)
        if "Non-2xx" in done.out or "Socket errors" in done.out:
            raise Failed(done.out)
        return float(re.search(r"Requests/sec:\s*([\d.]+)", done.out)[1])

    bare = ["cargo", "bench", "--quiet", "--locked", "--bench", "bare_reqwest"]
    once([*bare, "--no-run"], cwd=bench.here)

    def reqwest():
        address = f"http://127.0.0.1:{NGINX}/api/v4/table/session/"
        return float(once([*bare, "--", address, 64, BODY, bench.wrk_seconds], cwd=bench.here).out)

    with nginx(bench):
        contenders = {"wrk": wrk, "reqwest alone": reqwest, "traxload run": traxload}
        found = alternate(contenders, bench.repetitions)
    yard = Spread(found["wrk"]).median
    per_second = lambda value: f"{value:,.0f}/s"
    lines = []
    for name, rates in found.items():
        memory = size(peak(runs)) if name == "traxload run" else ""
        lines.append([name, Spread(rates).written(per_second), memory, times(Spread(rates).median / yard)])
    for others in lines[1:]:
        others[3] += " of wrk's"
    return {
        "title": f"Sending without a rate to nginx, 64 connections, {visits:,} visits of {mean_body(bench, folder):.0f} bytes",
        "lines": lines,
        "raw": found | {"traxload run, whole": raw(runs)},
    }


def mean_body(bench, folder):
    """Bytes of a body; wrk's, in put.lua, should be as long."""
    said = check(bench, folder).said
    shown = re.search(r"([\d,. ]+) bytes a visit", said)
    return float(re.sub(r"\D", "", shown[1])) if shown else float("nan")


def paced(bench):
    """At the vendor's ceiling to a server with the latency of one far away, stopped after a while."""
    folder, results = bench.exports("shuffled"), bench.emptied("results") / "paced.csv"
    command = [bench.binary, "run", bench.here / "jobs/slow.toml", "--quiet", "--results", results]
    with server([bench.python, bench.here / "slow_server.py", SLOW, LATENCY], SLOW):
        samples = watch(bench, [str(part) for part in command], folder, results)
    at = finished(results)
    whole = [count_of(at, second, 1) for second in range(int(at[-1] - at[0]))]
    first, later = count_of(at, 0, 5), count_of(at, 5, len(whole) - 5)
    share = lambda count, duration: f"{100 * count / duration / RATE:.1f}% of {RATE}/s"
    cpu = (samples[-1][1] - samples[0][1]) / (samples[-1][0] - samples[0][0])
    grown = max(sample[2] for sample in samples) - samples[0][2]
    return {
        "title": f"Sending at {RATE}/s, {LATENCY} ms latency, {bench.count()} prepared",
        "lines": [
            ["first five seconds", share(first, 5), "", ""],
            [f"the {len(whole) - 5} seconds after them", share(later, len(whole) - 5), "", ""],
            ["busiest second", f"{max(whole)} answers", "", ""],
            ["processor time while sending", f"{100 * cpu:.1f}% of one core", "", ""],
            ["memory beyond the prepared visits", size(max(grown, 0)), size(max(s[2] for s in samples)), ""],
        ],
        "raw": {"answers_by_second": whole, "cpu_share": cpu, "grown_bytes": grown},
    }


def count_of(at, first, length):
    return sum(at[0] + first <= moment < at[0] + first + length for moment in at)


def watch(bench, command, folder, results):
    """Time, processor time and memory while it sends; then it is stopped as by Ctrl-C."""
    process = subprocess.Popen(command, cwd=folder, env=bench.env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = results.with_name(results.name + ".partial")
    samples = []
    try:
        # Its header is there before; the first row says that sending has begun.
        while not (journal.exists() and journal.read_bytes().count(b"\n") > 1):
            if process.poll() is not None:
                raise Failed(f"{' '.join(command)} ended with {process.returncode}")
            time.sleep(0.02)
        until = time.monotonic() + bench.paced_seconds
        while time.monotonic() < until and process.poll() is None:
            samples.append(sample(process.pid))
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.wait()
    finally:
        end(process)
    if process.returncode not in (0, 130):
        raise Failed(f"{' '.join(command)} ended with {process.returncode}")
    return samples


def sample(process):
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return time.monotonic(), cpu, int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def rerun(bench):
    """A thousandth was refused, and is sent again: that should cost a reading of the exports and little more."""
    folder, results = bench.exports("shuffled"), bench.emptied("results") / "again.csv"
    manifest = results.with_name(results.name + ".json")
    say("  sending everything once")
    with nginx(bench, refusing=True):
        command = [bench.binary, "run", bench.here / "jobs/nginx.toml", "--quiet", "--results", results]
        once(command, cwd=folder, env=bench.env, codes=(3,))
    refused = len(finished(results, "failed"))
    kept = [(path, path.with_name("kept-" + path.name)) for path in (results, manifest)]
    for path, copy in kept:
        shutil.copy(path, copy)

    def again():
        for path, copy in kept:
            shutil.copy(copy, path)
        done = once([bench.binary, "rerun", results, "--quiet"], cwd=folder, env=bench.env)
        if len(finished(results)) != bench.visits:
            raise Failed("the rerun did not deliver everything")
        return done

    with nginx(bench):
        found = alternate({"traxload check": lambda: check(bench, folder), "traxload rerun": again}, bench.repetitions)
    reading = walls(found["traxload check"]).median
    return {
        "title": f"Rerun of {refused:,} failed of {bench.count()}, against reading the exports once",
        "lines": [
            [name, walls(runs).written(seconds), size(peak(runs)), times(walls(runs).median / reading)]
            for name, runs in found.items()
        ],
        "raw": {name: raw(runs) for name, runs in found.items()} | {"refused": refused},
    }
