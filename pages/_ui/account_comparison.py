"""Compare with Kling: tasks that the account has and the log does not; a person may take them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from kling import Task
from kling.studio.account_scan import Findings
from kling.studio.actions import Actions
from kling.studio.identity.roles import Action, NotAllowed
from kling.studio.ledger import LedgerError
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.decide import decide
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, moment, prompt_of, zone
from pages._ui.job.address import job_params
from pages._ui.panels import panel

LINKS = 10  # jobs that are named of each kind
LISTED = 500  # tasks in a table; the next ones come when these are taken in


def compare_with_kling() -> None:
    """Draw the panel, for who may use it."""
    if not acting().may(Action.RECONCILE):
        return
    panel("Compare with Kling", _comparison, key="spend.open_comparison", icon="rule")


def _comparison() -> None:
    st.caption(
        "Reads the account's whole list, which is free, and compares it with the log. It runs by itself "
        "at the start and every night."
    )
    is_running, found = studio().scan.is_running, studio().scan.findings
    _progress(found, is_running=is_running)
    st.button(
        "Try again now" if is_running and found.trouble else "Compare now",
        icon=":material/sync:",
        key="spend.compare_now",
        disabled=is_running and not found.trouble,
        on_click=decide,
        args=(Actions.scan_account,),
    )
    _done_by_itself(found)
    _for_a_person(found)
    if found.is_complete and not (found.taken_in or found.files or found.maybe_ours or found.foreign):
        st.success(
            "Nothing is missing: all of this studio's tasks in the account are in its history.",
            icon=":material/check_circle:",
        )


def _progress(found: Findings, *, is_running: bool) -> None:
    read = f"{counted(found.tasks, 'task', 'tasks')} on {counted(found.pages, 'page', 'pages')}"
    if found.trouble:
        st.warning(
            escape_markdown(
                f"The account's list cannot be read, so the comparison is not complete. {found.trouble} "
                f"It is asked for again by itself. Read so far: {read}."
            ),
            icon=":material/warning:",
        )
    elif is_running:
        st.info(f"Reading the account's list. So far: {read}.", icon=":material/sync:")
    elif found.at is None:
        st.caption("Not done yet since the studio was started.")
    else:
        st.caption(escape_markdown(f"Done last on {moment(found.at)}: {read}."))


def _done_by_itself(found: Findings) -> None:
    """Say what needed no decision, with links to it."""
    if found.taken_in:
        words = "was taken in by itself, because it has this studio's id:"
        many = "were taken in by themselves, because they have this studio's ids:"
        st.markdown(
            f"**{counted(len(found.taken_in), 'task', 'tasks')}** {_one(found.taken_in, words, many)}"
        )
        _links(found.taken_in)
    if found.files:
        words = "lay among the clips without an order. It is shown as found:"
        many = "lay among the clips without an order. They are shown as found:"
        st.markdown(f"**{counted(len(found.files), 'clip', 'clips')}** {_one(found.files, words, many)}")
        _links(found.files)
    if found.of_others:
        words = counted(found.of_others, "task belongs", "tasks belong")
        st.markdown(f"**{words}** to other studios on this account, by the mark in the id, and stay theirs.")


def _for_a_person(found: Findings) -> None:
    """Draw what somebody may take in."""
    if tasks := found.maybe_ours:
        words = _one(
            tasks, "task may be this studio's: its id is", "tasks may be this studio's: their ids are"
        )
        st.markdown(
            f"**{len(tasks):,}** {words} as an older version made them, and the log does not have them."
        )
        st.button(
            f"Take {_one(tasks, 'it in', f'in all {len(tasks):,}')}",
            icon=":material/move_to_inbox:",
            key="spend.take_in_ours",
            type="primary",
            on_click=_take_in,
            args=([task.task_id for task in tasks],),
        )
        choose_from(tasks, "ours")
    if tasks := found.foreign:
        words = _one(tasks, "other task is", "other tasks are")
        st.markdown(
            f"**{found.foreign_count:,}** {words} in the account, made elsewhere. What you take in is shown "
            "as found in the account: it belongs to nobody, and has no prompt."
        )
        chosen = choose_from(tasks, "foreign")
        st.button(
            f"Take in the {counted(len(chosen), 'chosen task', 'chosen tasks')}"
            if chosen
            else "Take in what is chosen",
            icon=":material/move_to_inbox:",
            key="spend.take_in_foreign",
            on_click=_take_in,
            args=(chosen,),
        )


def choose_from(tasks: Sequence[Task], name: str) -> list[str]:
    """Draw tasks to choose from, the newest first; return the ids of the chosen ones."""
    shown = tasks[:LISTED]
    if len(tasks) > LISTED:
        st.caption(f"The first {LISTED:,} of {len(tasks):,} are listed.")
    event: Any = st.dataframe(
        [
            {
                "Made": task.created_at.astimezone(zone()) if task.created_at else None,
                "State": task.task_status[:40],
                "Id of its maker": task.external_task_id[:256],
                "task_id": task.task_id,
            }
            for task in shown
        ],
        column_config={"Made": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss")},
        hide_index=True,
        on_select="rerun" if name == "foreign" else "ignore",
        selection_mode="multi-row",
        key=f"spend.{name}_{len(tasks)}_{shown[0].task_id}",  # a tick must not stay on another task's row
        height=min(36 * (len(shown) + 1) + 2, 400),
    )
    rows = event["selection"]["rows"] if name == "foreign" else []
    return [shown[row].task_id for row in rows if row < len(shown)]


def _take_in(task_ids: Sequence[str]) -> None:
    """Take tasks in, in a button's callback."""
    if not task_ids:
        st.toast("Tick the rows of the tasks to take in.", icon=":material/info:")
        return
    try:
        count = acting().take_in(task_ids)
    except NotAllowed as error:
        st.toast(escape_markdown(str(error)), icon=":material/warning:")
        return
    except LedgerError as error:
        st.toast(escape_markdown(f"Nothing was taken in. {error}"), icon=":material/warning:")
        return
    st.toast(f"{counted(count, 'task was', 'tasks were')} taken in.", icon=":material/check:")


def _links(job_ids: Sequence[str]) -> None:
    for job_id in job_ids[:LINKS]:
        job = studio().ledger.get(job_id)
        words = " ".join(prompt_of(job).split())[:60] if job else ""
        st.page_link(
            "job.py",
            label=escape_markdown(f"{words or 'Task'} · …{job_id[-8:]}"),
            icon=":material/subdirectory_arrow_right:",
            query_params=job_params(job_id),
        )
    if len(job_ids) > LINKS:
        st.caption(f"And {len(job_ids) - LINKS:,} more.")


def _one(things: Sequence[object], one: str, many: str) -> str:
    return one if len(things) == 1 else many
