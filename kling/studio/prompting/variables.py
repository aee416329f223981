"""Named variables as people write them: a line each, `animal = fox | heron | old cat`."""

from __future__ import annotations

import re

from kling.studio.prompting.template_language import TemplateSyntaxError

NAME = re.compile(r"\w[\w -]{0,39}")
_BAR = re.compile(r"(?<!\\)\|")


def parse_variables(text: str) -> dict[str, list[str]]:
    r"""Return the values of each name, in the order of the lines.

    Args:
        text: one variable in each line; empty lines are skipped. `\|` is a `|` inside a value.

    Raises:
        TemplateSyntaxError: a line is no variable, or a name is given twice.
    """
    found: dict[str, list[str]] = {}
    at = 0
    for line in text.splitlines(keepends=True):
        name, equals, values = line.partition("=")
        name = name.strip()
        if line.strip():
            if not equals or not NAME.fullmatch(name):
                raise TemplateSyntaxError(
                    f"“{line.strip()[:60]}” is no variable: write name = value | value.", at
                )
            if name in found:
                raise TemplateSyntaxError(
                    f"The variable {name} is given twice: put its values in one line.", at
                )
            found[name] = [value.strip().replace("\\|", "|") for value in _BAR.split(values)]
        at += len(line)
    return found
