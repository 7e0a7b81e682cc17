"""Sends store visits from CSV and Parquet exports to the Trax Sessions Input API.

The work is done by a program, `traxload`, which comes with this package. `find_program` says where it is.
"""

import os
import shutil
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

__all__ = ["__version__", "find_program"]

try:
    __version__ = metadata.version("traxload")
except metadata.PackageNotFoundError:  # the sources, not installed
    __version__ = "0"

_NAME = "traxload.exe" if sys.platform == "win32" else "traxload"


def find_program():
    """The path of the program: the one that the variable TRAXLOAD names, else the one that came with this package, else
    the first on PATH."""
    named = os.environ.get("TRAXLOAD")
    if named:
        found = shutil.which(named)
        if found is None:
            raise FileNotFoundError(f"the variable TRAXLOAD names no program: {named}")
        return found
    for folder in _folders():
        if os.access(folder / _NAME, os.X_OK):
            return str(folder / _NAME)
    found = shutil.which("traxload")
    if found is None:
        raise FileNotFoundError(
            "the program traxload is not found: install it with `pip install traxload`, or set the variable TRAXLOAD to its path"
        )
    return found


def _folders():
    """Where installers put the program of a package."""
    try:
        files = metadata.files("traxload") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == _NAME and file.parent.name in ("bin", "Scripts"):
            yield Path(file.locate()).resolve().parent
    # pip install --target DIR
    yield Path(__file__).resolve().parent.parent / "bin"
    yield Path(sysconfig.get_path("scripts"))
