"""The table as Markdown for people and as JSON for whoever wants to count again."""

import json
import re


def write(path, facts, stages):
    """Written after each stage, since a later one may fail. `path` without an ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps({"facts": facts, "stages": stages}, indent=1) + "\n")
    path.with_suffix(".md").write_text(markdown(facts, stages))


def markdown(facts, stages):
    gigabytes = facts["memory_bytes"] / 1e9
    versions = ", ".join(f"{name} {facts[name]}" for name in ("polars", "duckdb", "nginx", "wrk", "python") if facts[name])
    out = [
        f"{facts['traxload']} ({facts['commit']}) on {facts['cores']} cores of {facts['cpu']}, {gigabytes:.0f} GB, "
        f"{facts['system']}, Linux {facts['kernel']}; {versions}.",
        f"{facts['date']}, load {facts['load_before']:.1f} before, up to {facts['repetitions']} repetitions: "
        "the median (lowest to highest).",
        "",
    ]
    of_all = [stage for stage in stages.values() if "columns" not in stage]
    if of_all:
        out += head(["", "time or rate", "peak memory", "ratio"])
    for stage in of_all:
        out.append(f"| **{stage['title']}** | | | |")
        out += rows(stage)
    for stage in stages.values():
        if "columns" in stage:
            out += ["", f"{stage['title']}:", "", *head(stage["columns"]), *rows(stage)]
    return "\n".join(out) + "\n"


def head(columns):
    return [row(columns), row(["---"] * len(columns))]


def rows(stage):
    return [row(cells) for cells in stage["lines"]]


def row(cells):
    return re.sub(" +", " ", f"| {' | '.join(cells)} |")
