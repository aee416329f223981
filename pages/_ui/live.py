"""Pages that follow the log without asking: a socket tells of each change, and a fragment draws itself again.

A tab has one socket, whatever the number of fragments. The same script counts elapsed seconds in the page,
so that a running task costs the server nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import streamlit as st

from pages._ui.errors import readable
from pages._ui.running import studio

SAFETY_NET = 15  # seconds between drawings where a proxy lets no socket through

_SCRIPT = """
const PATH = __PATH__, KEY = __KEY__;
function hub() {
  if (window.__studioLive) return window.__studioLive;
  const hub = { version: -1, listeners: new Set(), retry: 500 };
  const connect = () => {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(scheme + location.host + PATH);
    socket.onmessage = (event) => {
      hub.retry = 500;
      hub.version = Number(event.data);
      // One after the other: Streamlit runs one fragment for each batch of triggers.
      [...hub.listeners].forEach((listener, place) => setTimeout(listener, 100 * place));
    };
    socket.onclose = () => {
      setTimeout(connect, hub.retry);
      hub.retry = Math.min(hub.retry * 2, 15000);
    };
  };
  connect();
  const count = () => document.querySelectorAll("[data-since]").forEach((element) => {
    const seconds = Math.max(0, Math.floor((Date.now() - Number(element.dataset.since)) / 1000));
    const text = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    if (element.textContent !== text) element.textContent = text;
  });
  setInterval(count, 500);
  return (window.__studioLive = hub);
}
export default function ({ setTriggerValue }) {
  const live = hub();
  const drawn = () => Number(document.querySelector(`[data-live="${KEY}"]`)?.dataset.version ?? -1);
  let timer = null, soon = false;
  const later = (wait, pause) => { clearTimeout(timer); timer = setTimeout(check, wait, pause); };
  // A trigger can be lost when two fall into one batch: ask until the page shows what the server has.
  const check = (pause) => {
    soon = false;
    if (drawn() >= live.version) return;
    setTriggerValue("changed", live.version);
    later(pause, Math.min(pause * 2, 8000));
  };
  const listener = () => { if (!soon) { soon = true; later(60, 500); } };
  live.listeners.add(listener);
  listener();
  return () => { live.listeners.delete(listener); clearTimeout(timer); };
}
"""

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


def follow(draw: Callable[[], None], key: str) -> None:
    """Draw now, and again after each change of the log, without running the rest of the page."""

    @st.fragment(run_every=SAFETY_NET)
    def fragment() -> None:
        with readable():
            script = _SCRIPT.replace("__PATH__", json.dumps(f"{base_path()}/live"))
            # Without `data`: Streamlit would load pandas to look at it, and the first page would wait.
            st.components.v2.component(f"studio_live_{key}", js=script.replace("__KEY__", json.dumps(key)))(
                key=f"live-{key}", on_changed_change=lambda: None
            )
            st.html(f'<i data-live="{key}" data-version="{studio().version}" hidden></i>')
            draw()

    fragment()


def remember(name: str, value: str) -> None:
    """Keep a value in this browser, as a cookie that the next visit brings along."""
    st.components.v2.component("studio_remember", js=_REMEMBER)(
        key=f"remember-{name}", data={"name": name, "value": value}
    )
