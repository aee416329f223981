"""Commands of `python -m kling.studio`, one module each.

A module here is a command if it has `register(subparsers)`, which adds a parser of the module's name, and
sets its default `run` to what does the command and returns the exit code.
"""
