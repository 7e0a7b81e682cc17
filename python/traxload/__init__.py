"""Sends store visits from CSV and Parquet exports to the Trax Sessions Input API.

The work is done by a program, `traxload`, which comes with this package. `find_program` says where it is.
"""

import os
import shutil
import sys
import sysconfig
from importlib import metadata

__all__ = ["__version__", "find_program", "program"]

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
    found = program() or shutil.which("traxload")
    if found is None:
        raise FileNotFoundError(
            "the program traxload is not found: install it with `pip install traxload`, or set the variable TRAXLOAD to its path"
        )
    return found


def program():
    """The path of the program that came with this package, or None."""
    return next((path for path in map(os.path.abspath, _places()) if os.access(path, os.X_OK)), None)


def _places():
    """Where installers put it."""
    try:
        files = metadata.files("traxload") or []
    except metadata.PackageNotFoundError:
        files = []
    yield from (file.locate() for file in files if file.name == _NAME and file.parent.name in ("bin", "Scripts"))
    # pip install --target DIR
    yield os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin", _NAME)
    yield os.path.join(sysconfig.get_path("scripts"), _NAME)
