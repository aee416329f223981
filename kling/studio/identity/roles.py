"""What each role may do: one table, asked by the name of an action (`may`, `check`).

`actions.py` asks it before every change; pages ask it to leave out what would be refused. README prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

Role = Literal["none", "viewer", "maker", "admin"]
ROLES: tuple[Role, ...] = ("none", "viewer", "maker", "admin")  # each may do all that those before it may


class Action(StrEnum):
    """What somebody can do. The value is what the audit calls it."""

    LOOK = "look"
    STAR = "star"  # also rate
    COLLECT = "collect"
    DELETE_COLLECTION = "delete a collection"
    SEE_PRICES = "see prices"
    DRAFT = "draft"  # write, keep and preview what may be ordered
    ORDER = "order"
    WITHDRAW = "withdraw"  # also give up
    SEND = "send"  # send again what was left to a person
    HIDE = "hide"
    TAG = "tag"
    NOTE = "note"
    DELETE = "delete"  # the file of a clip
    SHARE = "share"
    ASSIST = "ask the assistant"
    TEMPLATE = "template"  # save, change or delete one of the team's
    SEE_TEAM_LEFT = "see what the team has left"
    RESUME = "resume"
    CHECK_CONNECTION = "check connection"
    RECONCILE = "compare with Kling"
    IMPORT = "import"
    MANAGE_PEOPLE = "manage people"
    SET_BUDGETS = "set budgets"
    SEE_ACCOUNT = "see account"
    SEE_AUDIT = "see audit"
    SEE_HEALTH = "see health"


@dataclass(frozen=True, slots=True)
class Rule:
    """The least role for an action.

    Args:
        own: where the thing is the person's own, or nobody's.
        others: where it is somebody else's.
    """

    own: Role
    others: Role


RULES: Mapping[Action, Rule] = MappingProxyType(
    {
        Action.LOOK: Rule("viewer", "viewer"),
        Action.STAR: Rule("viewer", "viewer"),
        Action.COLLECT: Rule("viewer", "viewer"),
        Action.DELETE_COLLECTION: Rule("viewer", "admin"),
        Action.SEE_PRICES: Rule("maker", "maker"),
        Action.DRAFT: Rule("maker", "admin"),
        Action.ORDER: Rule("maker", "admin"),
        Action.WITHDRAW: Rule("maker", "admin"),
        Action.SEND: Rule("maker", "admin"),
        Action.HIDE: Rule("maker", "admin"),
        Action.TAG: Rule("maker", "admin"),
        Action.NOTE: Rule("maker", "admin"),
        Action.DELETE: Rule("maker", "admin"),
        Action.SHARE: Rule("maker", "admin"),
        Action.ASSIST: Rule("maker", "maker"),
        Action.TEMPLATE: Rule("maker", "maker"),
        Action.SEE_TEAM_LEFT: Rule("maker", "maker"),
        Action.RESUME: Rule("admin", "admin"),
        Action.CHECK_CONNECTION: Rule("admin", "admin"),
        Action.RECONCILE: Rule("admin", "admin"),
        Action.IMPORT: Rule("admin", "admin"),
        Action.MANAGE_PEOPLE: Rule("admin", "admin"),
        Action.SET_BUDGETS: Rule("admin", "admin"),
        Action.SEE_ACCOUNT: Rule("admin", "admin"),
        Action.SEE_AUDIT: Rule("admin", "admin"),
        Action.SEE_HEALTH: Rule("admin", "admin"),
    }
)


@dataclass(frozen=True, slots=True)
class User:
    """Who asks.

    Args:
        id: stays the same when the name changes; `local` where the studio has no sign-in.
        name: as it is shown and written into the log.
        role: what the user may do.
    """

    id: str
    name: str
    role: Role


LOCAL = "local"  # id of whoever uses a studio that nobody else can reach
COMMANDS = "command line"  # id and name of a command in the audit


class NotAllowed(Exception):
    """The role of a user is not enough for an action; the text says which is, and whom to ask."""

    def __init__(self, user: User, action: Action, least: Role) -> None:
        super().__init__(
            f"{user.name or 'You'} may not do this ({action.value}): it takes the role {least}, "
            f"and this is {user.role}. Ask an admin of the studio."
        )
        self.action, self.least = action, least


def may(user: User, action: Action, owner: str = "") -> bool:
    """Whether a user may do something.

    Args:
        user: who asks.
        action: what they ask for.
        owner: id of the person whom the thing belongs to; empty if it is nobody's, which counts as one's own.
    """
    return ROLES.index(user.role) >= ROLES.index(_least(user, action, owner))


def check(user: User, action: Action, owner: str = "") -> None:
    """Raise where a user may not do something.

    Args:
        user: who asks.
        action: what they ask for.
        owner: as for `may`.

    Raises:
        NotAllowed: the role is not enough.
    """
    if not may(user, action, owner):
        raise NotAllowed(user, action, _least(user, action, owner))


def _least(user: User, action: Action, owner: str) -> Role:
    rule = RULES[action]
    return rule.own if owner in {"", user.id} else rule.others
