"""How long it takes until something happens."""

import shutil

from measuring import alternate, once, raw, walls


def start(bench):
    """`--help`, and a run whose exports are missing: what it does before it opens the first of them, and an end."""
    nowhere = bench.emptied("nowhere")
    shutil.copy(bench.here / "jobs/nginx.toml", nowhere)
    found = alternate({
        "traxload --help": lambda: once([bench.binary, "--help"]),
        "traxload run, until it misses an export": lambda: once(
            [bench.binary, "run", "nginx.toml"], cwd=nowhere, env=bench.env, codes=(2,)),
    }, bench.starts)
    milliseconds = lambda value: f"{value * 1000:.1f} ms"
    return {
        "title": "Starting",
        "lines": [[name, walls(runs).written(milliseconds), "", ""] for name, runs in found.items()],
        "raw": {name: raw(runs) for name, runs in found.items()},
    }
