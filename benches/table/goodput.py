"""The stage on bad spells: how much longer a run takes than the best client would need for what the server accepts."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import spells
from measuring import Failed, end, say, server

PORT = 8200  # and those after it, one for each spell
CODES = (0, 3, 5)  # what is not delivered shows in the row
BUSY = 0.1  # seconds that a server may be late at answering before the figures are in doubt
RUNNING = []


def goodput(bench):
    """All spells, some of them side by side: a run at such a rate mostly waits."""
    exports, work = bench.exports("few"), bench.emptied("goodput")
    chosen = [spell for spell in spells.SPELLS if spells.needed(spell) <= bench.longest_spell]
    longest_first = sorted(range(len(chosen)), key=lambda at: -spells.needed(chosen[at]))
    began, used = time.monotonic(), children_cpu()
    with ThreadPoolExecutor(bench.side_by_side) as pool:
        try:
            runs = {at: pool.submit(one, bench, chosen[at], exports, work, PORT + at) for at in longest_first}
            found = [runs[at].result() for at in range(len(chosen))]
        except BaseException:
            # Nobody waits for those that have not begun, nor for the others to come to their end.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                process.kill()
            raise
    share = (children_cpu() - used) / (time.monotonic() - began)
    late = max(run["server_late_s"] for run in found)
    say(f"  runs and servers: {100 * share:.0f}% of one core; a server was late by {1000 * late:.0f} ms at most")
    return {
        "title": "Goodput",
        "columns": COLUMNS,
        "lines": [line(spell, run) for spell, run in zip(chosen, found)],
        "raw": {"runs": found, "cpu_share": share},
    }


COLUMNS = ["server", "goodput", "goal", "requests", "refused", "busiest second", "not delivered"]


def line(spell, run):
    """A row of the table; what misses its goal says so."""
    marked = lambda text, holds: text if holds else f"{text}, missed"
    goal = f"{spell.goal:g}"
    if spell.most_refused < spell.visits:
        goal += f", at most {spell.most_refused} refused"
    if spell.busiest < spell.visits:
        goal += f", at most {spell.busiest} in a second"
    return [
        spell.name,
        marked(f"{run['goodput']:.3f}", run["goodput"] >= spell.goal),
        goal,
        f"{run['requests']:,}",
        marked(f"{run['refused']:,}", run["refused"] <= spell.most_refused),
        marked(str(run["busiest"]), run["busiest"] <= spell.busiest),
        marked(str(run["not_delivered"]), run["not_delivered"] == 0),
    ]


def one(bench, spell, exports, work, port):
    """One run against one server. From the first request, which is the server's second 0, to the end of the process."""
    job, results, log = (work / f"{port}.{ending}" for ending in ("toml", "csv", "json"))
    job.write_text((bench.here / "jobs/goodput.toml").read_text().replace("PORT", str(port)))
    command = [bench.binary, "run", job, "--results", results]
    command += ["--rate", f"{spell.rate}/s", "--limit", str(spell.visits)]
    script = [sys.executable, bench.here / "spells.py", str(port), spell.name, log]
    with server(script, port) as serving, open(work / f"{port}.txt", "w+") as said:
        process = subprocess.Popen(command, cwd=exports, env=bench.env, stdin=subprocess.DEVNULL, stderr=said)
        RUNNING.append(process)
        try:
            if spell.stopped:
                stall(serving if spell.stopped == "server" else process)
            process.wait()
            ended = time.monotonic()
        finally:
            RUNNING.remove(process)
            end(process)
        said.seek(0)
        if process.returncode not in CODES:
            raise Failed(f"{spell.name}: ended with {process.returncode}:\n{said.read()[-2000:]}")
    saw = json.loads(log.read_text())
    delivered = must_be_stored(spell, results, saw["requests"])
    run = {
        "name": spell.name,
        "goodput": spells.needed(spell) / (ended - saw["first"]) * delivered / spell.visits,
        "seconds": ended - saw["first"],
        "needed": spells.needed(spell),
        "requests": len(saw["requests"]),
        "refused": sum(status != 200 for _, _, status in saw["requests"]),
        "busiest": busiest([second for second, _, _ in saw["requests"]]),
        "not_delivered": spell.visits - delivered,
        "exit_code": process.returncode,
        "server_late_s": saw["lag"],
    }
    doubt = "" if saw["lag"] < BUSY or spell.stopped else f", but its server was late by {1000 * saw['lag']:.0f} ms"
    say(f"  {spell.name}: {run['goodput']:.3f} (goal {spell.goal:g}){doubt}")
    return run


def stall(process):
    """Stopped as by a machine that is suspended, and woken again."""
    time.sleep(6)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(spells.STALL)
    os.kill(process.pid, signal.SIGCONT)


def must_be_stored(spell, results, requests):
    """How many visits were delivered. The result file has to call exactly those so that the server stored."""
    with open(results, newline="") as file:
        rows = list(csv.DictReader(file))
    delivered = sorted(row["session_uid"] for row in rows if row["status"] in ("uploaded", "already_received"))
    stored = sorted(session for _, session, status in requests if status == 200)
    if delivered != stored or len(rows) != spell.visits:
        counts = f"{len(rows)} rows, {len(delivered)} of them delivered; the server stored {len(stored)}"
        raise Failed(f"{spell.name}: {counts}")
    return len(delivered)


def busiest(seconds):
    """The most requests that came within any second."""
    most = first = 0
    for last, second in enumerate(seconds):
        while seconds[first] <= second - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
