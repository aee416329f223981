"""Drafts and team templates as values, their limits, and the errors of the store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kling import TextToVideo

DRAFT_ID = re.compile("[0-9a-f]{20}")
DRAFT_BYTES = 64 * 1024  # of one draft, as JSON in UTF-8
DRAFTS_OF_ONE = 100  # of one owner
ALL_DRAFT_BYTES = 64 * 2**20  # of all owners
DRAFT_SECONDS = 90 * 24 * 3600.0  # since its last change
JOBS_OF_ONE = 50  # ids of jobs that a draft remembers

TEMPLATE_ID = re.compile("[0-9a-f]{16}")
TEMPLATES = 500
TEMPLATE_BYTES = 100_000  # of one template
TEMPLATE_LINES = {"title": 80, "category": 40, "teaches": 300, "author": 80}  # characters


class StateError(Exception):
    """The store cannot answer, or does not keep something; the message says why and what helps."""


class NotKept(StateError):
    """A change of a draft breaks a limit, or the draft is another browser's; nothing was changed."""


class TooLarge(NotKept):
    """A draft is longer than one may be."""


class TeamTemplateError(StateError):
    """A template was not saved; the message says why and what helps."""


class ChangedMeanwhile(TeamTemplateError):
    """Somebody else has changed or deleted the template since it was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDraft:
    """A draft as the database has it.

    Args:
        id: stands in the page's address.
        owner: id of the browser that made it.
        fields: of the form, as JSON.
        made: ids of the jobs that were ordered from it, the last one first.
        not_kept: why a copy that was just made is not in the database; empty for a draft that is, and for a
            new one, which is written with its first change.
    """

    id: str
    owner: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    made: tuple[str, ...] = ()
    not_kept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamTemplate:
    """One template of the team.

    Args:
        id: ours.
        title: one line, not empty.
        category: one line, may be empty.
        teaches: a note; may be empty.
        author: who saved this version.
        changed: when, in UTC.
        version: counts the changes, from 1.
        request: the whole request; it may be unfinished.
    """

    id: str
    title: str
    category: str
    teaches: str
    author: str
    changed: datetime
    version: int
    request: TextToVideo
