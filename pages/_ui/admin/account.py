"""The account at Kling: what is left of its packs, slots in use, and both books side by side."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from kling.studio.jobs import OPEN, WAITING
from pages._ui.context import studio
from pages._ui.escape import escape_html, escape_markdown


def account() -> None:
    """Draw the section."""
    here = studio()
    st.markdown(f"**{escape_markdown(here.accounts.name)}**")
    slots()


def slots() -> None:
    """Draw how many tasks run of each model, and how many more may be sent now."""
    here = studio()
    jobs = here.admission.own_jobs()
    running = Counter(job["model_name"] for job in jobs if job.state in OPEN - {WAITING})
    waiting = Counter(job["model_name"] for job in jobs if job.state == WAITING)
    st.subheader("Slots in use", anchor=False)
    if not running and not waiting:
        st.caption("Nothing runs and nothing waits.")
        return
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
