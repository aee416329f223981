"""What a browser session holds beside the values of its widgets: three typed objects.

`composer` is the form's, `admin` the admin page's, `app` the rest. Keys of widgets begin with the name of
their page, as in `composer.prompt`.

Streamlit may stop a run at every access to `st.session_state`, except in a callback, and begin it again.
Whoever changes several fields that belong together therefore fetches the object once, and changes it without
another access.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from kling.studio.prompting.draft import Change, Draft

if TYPE_CHECKING:
    from kling.studio.prompting.matrix import Table
    from kling.studio.service import Check
    from kling.studio.state.records import Share, TeamTemplate

Bill = tuple[int, Decimal | None]  # how many videos, and what they cost in Units; None if nobody knows


@dataclass(frozen=True, slots=True)
class Notice:
    """What was changed along with a choice of the person.

    Args:
        changes: to fit the model or the shots.
        before, after: the price in Units; None if nobody knows it.
        unsent: the API's names of fields that the draft holds and that are not sent any more.
        switched_from: the model that the form had before, if it was changed too.
        undo: what the fields of the draft held before, to go back to.
    """

    changes: tuple[Change, ...]
    before: Decimal | None
    after: Decimal | None
    unsent: tuple[str, ...] = ()
    switched_from: str = ""
    undo: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PendingDraft:
    """A draft that the next run fills the form with.

    Args:
        draft_id: of a stored draft, empty for a new one.
        origin: what a new one begins with.
        notes: shown until somebody edits the form.
        previous_draft: id of the draft to which a button leads back.
    """

    draft_id: str
    origin: Draft | None = None
    notes: tuple[str, ...] = ()
    previous_draft: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unkept:
    """Changes of a draft that the store has refused; they are stored together with the next change.

    Args:
        draft_id: of the draft; empty for one that could not be read, of which nothing is stored.
        why: in words, with the remedy.
        fields: as for `DraftStore.save`.
        texts: likewise.
        made: likewise.
    """

    draft_id: str
    why: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    made: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the last press of Generate.

    Args:
        attempted: it was pressed, so the form says what is wrong with it.
        refusal: why nothing was sent.
        to_confirm: what a second press has to confirm, because it is much.
    """

    attempted: bool = False
    refusal: str = ""
    to_confirm: Bill | None = None


@dataclass(frozen=True, slots=True)
class Undoable:
    """What was hidden or taken out of a collection last, which can be undone for a while.

    Args:
        words: say what happened.
        ids: of the jobs; none after it was undone.
        number: of it in this session.
        until: seconds of the monotonic clock.
        starred: ids of the jobs that got the user's star along with it.
        unstarred: ids of the jobs that lost it, since another one was kept instead.
        shown: ids of the jobs that were hidden before, and were shown again along with it.
        taken_out: the id of the collection that they were taken out of, and its clips before; they were
            hidden where there is none.
    """

    words: str
    ids: tuple[str, ...]
    number: int
    until: float
    starred: tuple[str, ...] = ()
    unstarred: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    taken_out: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class PictureNews:
    """What is to be told of pictures that were given.

    Args:
        problem: why one was not taken.
        cropped: the frame it was for, and the hash of its middle, which could be taken; empty without one.
        notes: what was changed of them, each a sentence.
        draft: first and last frame of the draft after that; the notes stand while these are in it.
    """

    problem: str = ""
    notes: tuple[str, ...] = ()
    draft: tuple[str, str] = ("", "")
    cropped: tuple[str, str] = ("", "")


@dataclass(slots=True)
class ComposerState:
    """What the form holds beside the values of its widgets."""

    # -- the draft in the form; `draft_state.py` tells its life
    is_open: bool = False  # a draft was opened
    draft_id: str = ""  # of the store; empty if the draft could not be read
    parent: str = ""  # id of the job that the draft was made from
    shot_count: int = len(Draft().shots)
    arrangement: int = 0  # number of rearrangements of the shots; see `draft_state.shot_field`
    saved: Draft = field(default_factory=Draft)  # as stored; where the widgets differ, a person changed them
    unkept: Unkept | None = None  # what the store has refused
    is_copy: bool = False  # it was copied from another browser's draft
    notice: Notice | None = None
    # Before and after the storyboard, the sound or the last frame needed another choice, by the field.
    ways_back: Mapping[str, tuple[Draft, Draft]] = field(default_factory=dict)
    unsent_prompts: list[str] = field(default_factory=list)  # walked past and never ordered, newest first

    # -- which draft comes next
    pending: PendingDraft | None = None
    seen_draft_id: str = ""  # of the page's address, already dealt with
    seen_job_id: str = ""  # of the page's address (`?from=`), already dealt with
    previous_draft: str = ""  # id of the draft that "Back to the draft you had" opens
    notes: tuple[str, ...] = ()  # of an import
    imported: Draft | None = None  # as the form showed it first; `notes` stand while the draft equals it
    is_imported: bool = False  # the draft was just filled from elsewhere, and `imported` is still to be set

    # -- orders
    jobs: list[str] = field(default_factory=list)  # ids of what this session ordered, newest first
    outcome: Outcome = field(default_factory=Outcome)
    # How often the button that orders was pressed: by it cut_off.js sees that a press was answered.
    pressed: int = 0

    # -- the stage
    chosen: str = ""  # what stands on it: the id of a batch or of a job; empty for the newest
    newest: str = ""  # likewise, what this session ordered last when the stage was drawn
    focus: tuple[int, str] = (0, "")  # number and place of the last move of the focus

    # -- what the two parts of the page were drawn from, which run alone
    drawn_from: tuple[str, str, str] = ("", "", "")  # the form, see `compose.form`
    stage_drawn_from: tuple[object, ...] = ()

    # -- runs of the form, to recognise edits sent by a page that had not seen the last run
    run: int = 0
    recent_runs: dict[str, Draft] = field(default_factory=dict)  # by number, what each of them showed

    # -- the panels
    dialog: str = ""  # opened by the next run: "recent", "templates", "import_export",
    #   the field of a picture that a clip gives, or none
    answered_walk: str = ""  # time stamp of the last step through earlier prompts
    answered_assistant: int = 0  # time stamp of the last press in the assistant's panel
    # What was taken from the assistant, by field, and what the fields held before.
    taken: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
    drawn_as_list: dict[str, bool] = field(default_factory=dict)  # by field, how its choices were drawn last
    table: tuple[str, Table] | None = None  # of variations, after what it was made from
    ticked: tuple[str, tuple[int, ...]] = ("", ())  # key of a table's widget, and the rows ticked in it
    storyboard_problem: str = ""  # shown once
    all_templates: bool = False  # whether the list of templates is shown to its end
    edited_template: TeamTemplate | None = None
    template_problem: str = ""  # shown once
    picture_news: PictureNews | None = None  # of the pictures that were given last
    drop_problem: str = ""  # why a file that was dropped was of no use, shown once


@dataclass(slots=True)
class AppState:
    """What a session holds on every page."""

    token: str = ""  # of this session; see `current_user.session_token`
    browser: str = ""  # see `current_user.browser_id`
    # After an order without a name: Compose is to ask for one, does so, or does not before the next visit.
    name_question: Literal["", "due", "drawn", "later"] = ""
    names_taken: int = 0  # outside of the field "Your name"; see `current_user.name_field`
    remembered: dict[str, str] = field(default_factory=dict)  # values of cookies, by name
    unsent_cookies: set[str] = field(default_factory=set)  # names of those that the browser does not have yet
    connection: Check | None = None  # the last check of the connection
    giving_up: str = ""  # id of the job that a person is asked about
    confirm_send: tuple[int, str] | None = None  # number and price of the jobs that a person is asked about
    confirm_withdraw: int = 0  # number of the jobs that a person is asked about
    answer: tuple[str, float] = ("", 0.0)  # of a banner to a press in it, and until when (monotonic) it stays
    led_here: str = ""  # why somebody was led from one page to another, said once on the second
    whole_family: str = ""  # id of the job whose whole family is shown on its page
    # The dialog that is open (see curation), the jobs or the collection that it is about, and how many were
    # opened so far.
    asked: tuple[str, tuple[str, ...], int] = ("", (), 0)
    asked_in: str = ""  # where it is drawn: empty for the page, else what lies over it
    at_start: tuple[str, ...] | None = None  # what stood in its fields when it was opened
    refused: str = ""  # why the last press in it was refused, said once
    link: tuple[Share, str] | None = None  # that was made in it, and its token; shown until it is closed
    said: str = ""  # what became of it, as Markdown, said once by the page
    undo: Undoable | None = None
    stars_of_keep: frozenset[str] = frozenset()  # ids of the jobs that "Keep this one" gave the user's star
    compared: tuple[str, tuple[str, ...]] = ("", ())  # what the address named, and what was put in its place
    answered: tuple[str, int] = ("", 0)  # a tab, and the last press in it that was done; see curation/presses
    address: tuple[str, dict[str, str]] = ("", {})  # the last list, or Compose, and its parameters
    is_page_old: Callable[[], bool] = field(default=bool)  # see `live.page_is_old_when`


@dataclass(slots=True)
class AdminState:
    """What the admin page holds beside the values of its widgets."""

    problems: dict[str, str] = field(default_factory=dict)  # by form: why it was refused, shown once
    saved: str = ""  # the form of limits that was saved, said once
    confirm: str = ""  # the destructive press that a person is asked about
    invited: tuple[str, str] | None = (
        None  # the name of who was invited last, and the token; shown until hidden
    )
    audit_asked: str = ""  # the question that the pages of the audit answer
    older_than: list[int] = field(default_factory=list)  # ids where the pages after the first begin


def composer_state() -> ComposerState:
    """Return the composer's state of this session."""
    state: ComposerState | None = st.session_state.get("composer")
    if state is None:
        state = st.session_state["composer"] = ComposerState()
    return state


def app_state() -> AppState:
    """Return what this session holds on every page."""
    state: AppState | None = st.session_state.get("app")
    if state is None:
        state = st.session_state["app"] = AppState()
    return state


def admin_state() -> AdminState:
    """Return what the admin page of this session holds."""
    state: AdminState | None = st.session_state.get("admin")
    if state is None:
        state = st.session_state["admin"] = AdminState()
    return state
