"""Runs programs and notes time and memory. Contenders take turns, so that a noisy neighbour hits all of them."""

import os
import socket
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass


def say(text):
    print(text, file=sys.stderr, flush=True)


class Failed(Exception):
    """A program did not do what was to be measured."""


@dataclass
class Once:
    """One run of a program."""

    wall: float  # seconds
    cpu: float  # seconds of all threads, user and system
    peak: int  # bytes of resident memory
    said: str  # on standard error
    out: str  # on standard output


def once(command, cwd=None, env=None, codes=(0,)):
    """Runs a program to its end. `codes`: the exit codes that are an answer; any other is a failure."""
    command = [str(part) for part in command]
    with tempfile_of() as out, tempfile_of() as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=said)
        try:
            # The peak of this very process; Popen.wait would throw it away.
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            end(process)
        texts = []
        for file in (out, said):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    if process.returncode not in codes:
        raise Failed(f"{' '.join(command)} ended with {process.returncode}:\n{texts[1][-2000:]}")
    return Once(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, texts[1], texts[0])


def tempfile_of():
    # Pipes would have to be read while the program runs, at the expense of what is measured.
    import tempfile

    return tempfile.TemporaryFile()


def end(process):
    """Ends a program that still runs."""
    if process.returncode is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def server(command, port, cwd=None):
    """A server on this machine, gone at the end whatever happens."""
    if is_open(port):
        raise Failed(f"port {port} of this machine is in use; the server for this stage needs it")
    process = subprocess.Popen([str(part) for part in command], cwd=cwd, stdin=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while not is_open(port):
            if process.poll() is not None or time.monotonic() > until:
                raise Failed(f"{command[0]} does not listen on port {port}")
            time.sleep(0.05)
        yield process
    finally:
        end(process)


def is_open(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def alternate(contenders, repetitions):
    """`contenders`: functions by name. Each gets its turn in every round, and a different one begins."""
    found = {name: [] for name in contenders}
    names = list(contenders)
    for round_ in range(repetitions):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            result = contenders[name]()
            found[name].append(result)
            shown = f"{result.wall:.2f} s, {size(result.peak)}" if isinstance(result, Once) else f"{result:.0f}/s"
            say(f"  {round_ + 1}/{repetitions} {name}: {shown}")
    return found


@dataclass
class Spread:
    """Several measurements of one thing."""

    values: list

    @property
    def median(self):
        return statistics.median(self.values)

    def written(self, form):
        if len(self.values) == 1:
            return form(self.values[0])
        return f"{form(self.median)} ({form(min(self.values))} to {form(max(self.values))})"


def walls(runs):
    return Spread([run.wall for run in runs])


def peak(runs):
    return max(run.peak for run in runs)


def raw(runs):
    """For the JSON file."""
    return [{"wall_s": run.wall, "cpu_s": run.cpu, "peak_bytes": run.peak} for run in runs]


def seconds(value):
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def size(value):
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def times(value):
    """A ratio."""
    return f"{value:.2f}" if value < 9.95 else f"{value:.0f}"
