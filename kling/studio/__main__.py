"""`python -m kling.studio COMMAND`: what the person who runs the studio does at a terminal."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys

from kling.studio import commands


def main(arguments: list[str] | None = None) -> int:
    """Do a command; return the exit code: 0 done, 1 not done, 2 no such command.

    Args:
        arguments: of the command line, without the program's name.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal may not have every letter of a name
    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:  # as with `| head`: nobody reads the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kling.studio",
        description="Commands for the person who runs the studio. The studio itself is started with "
        "`streamlit run app.py`. Settings are read as it reads them.",
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for found in sorted(pkgutil.iter_modules(commands.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{commands.__name__}.{found.name}")
        if hasattr(module, "register"):
            module.register(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
