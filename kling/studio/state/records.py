"""Drafts, team templates, collections and shares as values, their limits, and the errors of the store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from kling import TextToVideo
from kling.image_to_video import ImageToVideo

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

COLLECTIONS = 500
CLIPS_OF_ONE = 500  # of one collection, and of one share
COLLECTION_TITLE = 80  # characters; also of a share
COLLECTION_TEXT = 2_000

Audience = Literal["team", "anyone"]
SHARES = 2_000  # that are kept; the oldest that have ended make room


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
        changed: when it was stored last, in Unix seconds; 0 if never.
        not_kept: why a copy that was just made is not in the database; empty for a draft that is, and for a
            new one, which is written with its first change.
    """

    id: str
    owner: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    made: tuple[str, ...] = ()
    changed: float = 0
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
        person_id: of the author; empty without sign-in, and where it is not known.
    """

    id: str
    title: str
    category: str
    teaches: str
    author: str
    changed: datetime
    version: int
    request: TextToVideo | ImageToVideo
    person_id: str = ""


class CollectionError(StateError):
    """A collection was not changed; the message says why and what helps."""


class CollectionChanged(CollectionError):
    """Somebody else has changed its words, or deleted it, since it was shown."""


class ShareError(StateError):
    """Nothing was shared; the message names what cannot be so, and what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Clips that people have put together.

    Args:
        id: ours.
        version: counts the changes of title, text and cover, from 1.
        title: one line, not empty.
        text: a few lines; may be empty.
        cover: id of the job whose picture stands for it; empty for that of the first clip.
        clips: ids of the jobs, in order. Some may be hidden or deleted meanwhile.
        person_id: of who made it; empty without sign-in.
        person: their name as it was.
        made, changed: Unix seconds.
        changed_by: name of who changed it last.
    """

    id: str
    version: int = 1
    title: str
    text: str = ""
    cover: str = ""
    clips: tuple[str, ...] = ()
    person_id: str = ""
    person: str = ""
    made: float = 0.0
    changed: float = 0.0
    changed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A link to clips. Whoever has its token, which is not kept, may see them until it ends.

    Args:
        id: ours; it opens nothing.
        collection_id: whose title, text and order count; empty where only clips were chosen.
        clips: ids of the jobs that may be seen. What is added to the collection later is not among them.
        title: of chosen clips; may be empty.
        audience: `team` takes a sign-in, `anyone` does not.
        prompts: whether these are shown.
        people: whether it is shown who made the clips and when, and who shares them.
        person_id: of who shares; empty without sign-in.
        person: their name as it was.
        made, ends: Unix seconds.
        ended: Unix seconds when somebody ended it; 0 if nobody did.
        opened, played: how often its page was opened, and a clip of it begun.
    """

    id: str
    collection_id: str = ""
    clips: tuple[str, ...] = ()
    title: str = ""
    audience: Audience = "team"
    prompts: bool = True
    people: bool = True
    person_id: str = ""
    person: str = ""
    made: float = 0.0
    ends: float = 0.0
    ended: float = 0.0
    opened: int = 0
    played: int = 0

    def is_open(self, now: float) -> bool:
        """Whether it has not ended."""
        return not self.ended and now < self.ends
