"""Import: a file of jobs from elsewhere. First what is in it, then one step, which one step undoes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.library.imports import ImportPlan, PastImport
from kling.studio.library.waiting_plans import WaitingPlan
from pages._ui.address import base_path
from pages._ui.admin.asking import confirmed_button
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.decide import attempt
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, moment
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import CLIP_TEXTS, script_of

_SCRIPT = Path(__file__).with_suffix(".js")
_FIELD = (
    '<label class="import-file"><span>File</span>'
    '<input type="file" multiple accept=".csv,.jsonl,.ndjson,.json,.zip,.mp4,text/csv"></label>'
    '<label class="import-file"><span>Folder</span><input type="file" webkitdirectory></label>'
    '<p role="status"></p>'
)
KINDS = {"export": "an export", "log": "the log of a studio"}
MOST_PEOPLE = 8  # named in the summary


def imports() -> None:
    """Draw the section."""
    st.caption(
        "A file that History has exported (CSV or JSON Lines), the history.csv of another studio, clips that "
        "were taken away (their ZIP, some of them, or their folder). What is "
        "imported is history, never work: nothing is sent, asked for or fetched for it, and it counts in no "
        "budget and no sum. What this log has already stays as it is."
    )
    _component()(key="admin.import_file", on_read_change=lambda: None)
    waiting = studio().imports.waiting.of(acting().user.id)
    if waiting is not None:
        _summary(waiting)
    _past()


def _summary(waiting: WaitingPlan[ImportPlan]) -> None:
    plan = waiting.plan
    with st.container(border=True, key="admin-import"):
        name = escape_markdown(waiting.name or "The file")
        new = counted(plan.jobs, "new job", "new jobs")
        st.markdown(f"**{name}** · {KINDS[plan.kind]} · {new}{_span(plan)}")
        for words in _facts(plan):
            st.markdown(words)
        if plan.fault_count:
            with st.expander(f"{counted(plan.fault_count, 'job', 'jobs')} cannot be taken in"):
                for fault in plan.faults:
                    st.markdown(escape_markdown(fault))
                if plan.fault_count > len(plan.faults):
                    st.caption(f"And {plan.fault_count - len(plan.faults):,} more.")
        with st.container(horizontal=True):
            if plan.jobs:
                st.button(
                    f"Take in {counted(plan.jobs, 'job', 'jobs')}",
                    type="primary",
                    key="admin.import_take",
                    on_click=_take_in,
                    args=(waiting,),
                )
            st.button("Put it away", key="admin.import_away", on_click=_put_away)


def _span(plan: ImportPlan) -> str:
    if plan.first is None or plan.last is None:
        return ""
    zone = studio().settings.timezone
    first, last = (f"{day.astimezone(zone):%d %b %Y}" for day in (plan.first, plan.last))
    return f", ordered on {first}" if first == last else f", ordered from {first} to {last}"


def _facts(plan: ImportPlan) -> list[str]:
    """Return what is worth knowing before the step, as Markdown."""
    found = []
    if plan.people and plan.jobs:
        named = list(plan.people.items())
        shown = [
            f"{escape_markdown(name or 'without a name')} {jobs:,}" for name, jobs in named[:MOST_PEOPLE]
        ]
        more = [f"{len(named) - MOST_PEOPLE:,} more people"] if len(named) > MOST_PEOPLE else []
        found.append(f"By: {', '.join([*shown, *more])}")
    if plan.known:
        verb = (
            "is in the log already, and stays as it is"
            if plan.known == 1
            else ("are in the log already, and stay as they are")
        )
        found.append(f"{counted(plan.known, 'job', 'jobs')} {verb}.")
    if plan.unfinished:
        words = (
            "had not ended where it comes from"
            if plan.unfinished == 1
            else ("had not ended where they come from")
        )
        found.append(f"{counted(plan.unfinished, 'job', 'jobs')} {words}: shown as cancelled here.")
    if plan.clips:
        verb = "has its clip" if plan.clips == 1 else "have their clips"
        found.append(f"{counted(plan.clips, 'job', 'jobs')} {verb} in this studio’s folder already.")
    if not plan.jobs and not plan.fault_count:
        found.append("There is nothing to take in.")
    return found


def _take_in(waiting: WaitingPlan[ImportPlan]) -> None:
    """Take the jobs in, in a callback; a plan that was replaced meanwhile is not the one that was seen."""
    kept = studio().imports.waiting
    if kept.of(acting().user.id) is not waiting:
        st.toast("This file is not kept any more: choose it again.", icon=":material/warning:")
        return
    if attempt(Actions.import_jobs, waiting.plan) is not None:
        kept.put_away(waiting.owner)
        words = f"{counted(waiting.plan.jobs, 'job was', 'jobs were')} taken in. It can be undone below."
        st.toast(words, icon=":material/check:")


def _put_away() -> None:
    studio().imports.waiting.put_away(acting().user.id)


def _past() -> None:
    past = studio().imports.past()
    if not past:
        return
    st.subheader("Imports", anchor=False)
    for each in past:
        with st.container(key=f"admin-row-{each.id}", horizontal=True, vertical_alignment="center"):
            st.markdown(_said(each))
            if not each.undone:
                confirmed_button(
                    "Undo",
                    sure=f"Its {counted(each.jobs, 'job is', 'jobs are')} not shown any more then. The same "
                    "file can be imported again.",
                    yes="Undo the import",
                    key=f"import-{each.id}",
                    act=Actions.undo_import,
                    args=(each.id,),
                )


def _said(past: PastImport) -> str:
    """Return what is said of an import, as Markdown."""
    if past.broken_off:
        count = f"**{past.jobs:,} of {past.of:,} jobs**"
        return f"{count} · {_when(past)}: it was broken off. Import the file again, or undo it."
    return f"**{counted(past.jobs, 'job', 'jobs')}** · {_when(past)}{', undone' if past.undone else ''}"


def _when(past: PastImport) -> str:
    try:
        at = datetime.fromisoformat(past.at)
    except ValueError:
        return "at a time that nobody knows"
    return escape_markdown(moment(at if at.tzinfo else at.replace(tzinfo=UTC)))


@cache
def _component() -> Any:
    """Return the field as a component, which Streamlit is told of once."""
    script = loader("import", script_of(CLIP_TEXTS, _SCRIPT, BASE=base_path()))
    return st.components.v2.component("studio_import", html=_FIELD, js=script, isolate_styles=False)
