"""Pages that follow the log without asking: a socket tells of each change, and a fragment draws itself again.

A tab has one socket, whatever the number of fragments. The same script, live.js, counts elapsed seconds, says
when the server is away, and announces tasks that end: a fragment draws
`<i hidden data-task="id" data-state="succeed" data-say="Video done: …">` for each, and
`data-chime="on"` on any element for a sound.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages._ui.context import studio
from pages._ui.errors import readable

SAFETY_NET = 15  # seconds between drawings where a proxy lets no socket through

_SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

_REMEMBER = """
export default function ({ data }) {
  const year = 365 * 24 * 3600;
  document.cookie = data.name + "=" + encodeURIComponent(data.value) +
    "; path=/; SameSite=Lax; max-age=" + (data.value ? year : 0);
}
"""


def base_path() -> str:
    """Return the path under which the server answers, without a slash at its end."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def follow(
    draw: Callable[[], None],
    key: str,
    *,
    beside: Callable[[], object] = lambda: None,
    asked_by: Callable[[str], None] = lambda _run: None,
) -> None:
    """Draw now, and again after each change of the log, without running the rest of the page.

    Args:
        draw: draws what follows the log.
        key: names it on its page.
        beside: what the rest of the page is drawn from. A click that comes at once with the news of a change
            is sent together with it, and Streamlit then runs nothing but this: here it is noticed, and the
            whole page runs.
        asked_by: told which run the page that asks has been drawn by.
    """
    drawn = beside()

    def changed() -> None:
        news = st.session_state[f"live-{key}"].get("changed")
        if isinstance(news, dict):
            asked_by(str(news.get("run")))

    @st.fragment(run_every=SAFETY_NET)
    def fragment() -> None:
        with readable():
            if beside() != drawn:
                st.rerun()
            script = _SCRIPT.replace("__PATH__", json.dumps(f"{base_path()}/live"))
            # Without `data`: Streamlit would load pandas to look at it, and the first page would wait.
            st.components.v2.component(f"studio_live_{key}", js=script.replace("__KEY__", json.dumps(key)))(
                key=f"live-{key}", on_changed_change=changed
            )
            st.html(f'<i data-live="{key}" data-version="{studio().changes.version}" hidden></i>')
            draw()

    fragment()


def remember(name: str, value: str) -> None:
    """Keep a value in this browser, as a cookie that the next visit brings along."""
    st.components.v2.component("studio_remember", js=_REMEMBER)(
        key=f"remember-{name}", data={"name": name, "value": value}
    )
