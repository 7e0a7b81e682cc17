"""What the table is measured on, and what has to be there first."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def missing(binary, stages, venv):
    """What to install before the stages can be run, as lines to type."""
    lines = []
    if not os.access(binary, os.X_OK):
        lines.append(f"no program at {binary}; cargo build --release, or name another with --binary")
    packages = [package for package, program in (("wrk", "wrk"), ("nginx-light", "nginx"))
                if stages & {"send", "rerun"} and not shutil.which(program)]
    try:
        import ensurepip  # noqa: F401  Debian has it in a package of its own.
    except ImportError:
        if not (venv / "bin/python").exists():
            packages.append("python3-venv")
    if packages:
        lines.append(f"apt-get install --no-install-recommends {' '.join(packages)}")
    return lines


def python_of(venv, own):
    """The Python that has the yardsticks; installs them where `own` says that the environment is ours."""
    python = venv / "bin/python"
    if own and not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    requirements = HERE / "requirements.txt"
    if subprocess.run([python, "-c", "import duckdb, numpy, polars, pyarrow"], capture_output=True).returncode != 0:
        if not own:
            sys.exit(f"{venv} lacks a yardstick: {python} -m pip install -r {requirements}")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    return python


def facts(binary, python):
    """The machine and the versions of everything."""
    packages = "import duckdb, numpy, polars, pyarrow; print(*(m.__version__ for m in (duckdb, numpy, polars, pyarrow)))"
    duckdb, numpy, polars, pyarrow = output([python, "-c", packages]).split()
    return {
        "cpu": field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int((field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) * 1024,
        "kernel": platform.release(),
        "system": (field("/etc/os-release", "PRETTY_NAME", "=") or platform.system()).strip('"'),
        "load_before": os.getloadavg()[0],
        "traxload": output([binary, "--version"]).strip(),
        "commit": output(["git", "-C", HERE, "describe", "--always", "--dirty"]).strip(),
        "duckdb": duckdb,
        "polars": polars,
        "pyarrow": pyarrow,
        "numpy": numpy,
        "python": output([python, "--version"]).split()[-1],
        "nginx": output(["nginx", "-v"]).strip().rpartition("/")[2],
        # With the libraries that it was built with behind it.
        "wrk": " ".join(output(["wrk", "-v"]).split()[1:2]),
    }


def field(path, name, mark=":"):
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    found = (line.partition(mark)[2].strip() for line in lines if line.partition(mark)[0].strip() == name)
    return next(found, None)


def output(command):
    """What a program says on either of its outputs; nothing where there is no such program."""
    try:
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError:
        return ""
    return done.stdout.decode(errors="replace")
