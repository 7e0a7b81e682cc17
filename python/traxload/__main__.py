"""`python -m traxload` is `traxload`."""

import os
import subprocess
import sys

from traxload import find_program


def main():
    try:
        program = find_program()
    except FileNotFoundError as error:
        sys.exit(f"error: {error}")
    command = [program, *sys.argv[1:]]
    if sys.platform == "win32":
        sys.exit(subprocess.run(command, check=False).returncode)
    # In its place: signals and the exit code are the program's own.
    os.execv(program, command)


if __name__ == "__main__":
    main()
