"""Requests that the API refuses, and the rules of the contract that they break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kling.sandbox import contract
from kling.sandbox.contract import RULES

_SHOWN_PROBLEMS = 10

Broken = Iterator[tuple[str, dict[str, object]]]  # ids of rules, with the values for their messages


class Refused(Exception):
    """A request that is answered with an error code of the API.

    Args:
        code: one of the API's error table.
        message: starts with the name of the field that is wrong; empty: the message of the error table.
    """

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message or str(contract.ERRORS[code]["message"])


def refusal(rule: str, **values: object) -> Refused:
    """Return the exception for a request that breaks a rule of the contract.

    Args:
        rule: the rule's id.
        values: what its message shows, by name.
    """
    return Refused(RULES[rule].code, RULES[rule].message.format(**values))


def refuse(problems: Iterable[str]) -> None:
    """Raise Refused with code 1201 if there are problems; its message names the first ten."""
    found = list(problems)
    if found:
        raise Refused(1201, "; ".join(found[:_SHOWN_PROBLEMS]))


def refuse_broken(broken: Broken) -> None:
    """Raise Refused if rules are broken: with the code of the first one, and the messages of all with it."""
    found = list(broken)
    if found:
        code = RULES[found[0][0]].code
        same = [refusal(rule, **values).message for rule, values in found if RULES[rule].code == code]
        raise Refused(code, "; ".join(same[:_SHOWN_PROBLEMS]))
