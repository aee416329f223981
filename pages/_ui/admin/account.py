"""The account at Kling: what is left of its packs, slots in use, and both books side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from kling.resource_packs import EXPIRED, ONLINE, RUN_OUT, TO_BE_ONLINE
from kling.studio.account_packs import PackView
from kling.studio.actions import Actions
from kling.studio.amounts import units
from kling.studio.changes import PACKS
from kling.studio.jobs import OPEN, WAITING
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.decide import decide
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import counted, moment
from pages._ui.live import EVERY_JOB, live_fragment

OLD = 300.0  # seconds after which whoever looks has Kling asked again
STATUSES = {RUN_OUT: "used up", EXPIRED: "expired", TO_BE_ONLINE: "not in force yet"}
LAG = "Kling’s figure lags by up to 12 hours"


def account() -> None:
    """Draw the section."""
    here = studio()
    st.markdown(f"**{escape_markdown(here.accounts.name)}**")
    if here.packs.age is None or here.packs.age > OLD:
        acting().ask_for_packs()
    live_fragment(_packs, "packs", concerns=lambda: [PACKS, EVERY_JOB])
    slots()


def _packs() -> None:
    report = studio().packs.report
    if report.trouble:
        words = f"Kling was asked for the packs and did not answer. {report.trouble}"
        st.warning(escape_markdown(words), icon=":material/warning:")
    views = studio().packs.views()
    if views:
        _table(views)
    elif report.asked_at is not None:
        st.caption("Kling names no packs of this account.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Asked on {moment(report.asked_at)}. {LAG}."
            if report.asked_at
            else "Kling has not answered yet.",
            width="content",
        )
        st.button("Ask again", key="admin.ask_packs", on_click=decide, args=(Actions.ask_for_packs,))


def _table(views: Sequence[PackView]) -> None:
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{escape_html(view.pack.name or "A pack")}</th>'
        f"<td>{_left(view)}</td><td>{_until(view)}</td>"
        f"<td>{'' if view.used is None else escape_html(units(view.used))}</td>"
        f"<td>{escape_html(units(view.ours))}</td></tr>"
        for view in views
    )
    st.html(
        '<div class="studio-table" tabindex="0" role="group" aria-label="Packs"><table><thead><tr>'
        '<th scope="col">Pack</th><th scope="col">Left</th><th scope="col">Until</th>'
        '<th scope="col">Used, by Kling</th><th scope="col">Deducted since, by the log</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    st.caption(
        "The two sums differ where other programs use the account, where several packs are in force, and by "
        "what Kling has not counted yet."
    )


def _left(view: PackView) -> str:
    pack = view.pack
    if pack.remaining is None:
        return "not said"
    return escape_html(units(pack.remaining) + (f" of {units(pack.total)}" if pack.total is not None else ""))


def _until(view: PackView) -> str:
    pack = view.pack
    until = moment(pack.ends) if pack.ends else "not said"
    return escape_html(
        until if pack.status == ONLINE else f"{until} ({STATUSES.get(pack.status, pack.status)})"
    )


def slots() -> None:
    """Draw how many tasks run and wait of each model."""
    jobs = studio().admission.own_jobs()
    running = Counter(job["model_name"] for job in jobs if job.state in OPEN - {WAITING})
    waiting = Counter(job["model_name"] for job in jobs if job.state == WAITING)
    st.subheader("Slots in use", anchor=False)
    if not running and not waiting:
        st.caption("Nothing runs and nothing waits.")
        return
    most = max(
        (view.pack.slots or 0 for view in studio().packs.views() if view.pack.status == ONLINE), default=0
    )
    of_all = f" of {most:,} slots that the largest pack gives" if most else ""
    st.caption(f"{counted(running.total(), 'task is', 'tasks are')} at Kling or on the way there{of_all}.")
    rows = "".join(
        f'<tr><th scope="row">{escape_html(model)}</th><td>{running[model]:,}</td>'
        f"<td>{waiting[model]:,}</td></tr>"
        for model in sorted({*running, *waiting})
    )
    st.html(
        '<div class="studio-table" tabindex="0" role="group" aria-label="Slots in use"><table><thead><tr>'
        '<th scope="col">Model</th><th scope="col">Running</th><th scope="col">Waiting</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
