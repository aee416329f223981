"""What Streamlit cannot do while somebody types: it hears of a text only when the field is left.

One script counts the characters as they come, keeps the text on the server's disk under the draft's id, puts
that id into the page's address, and walks through earlier prompts. It reads all it needs from the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import streamlit as st

from pages._ui.live import base_path
from pages._ui.words import escaped

SAVE_AFTER = 300  # milliseconds without a key

_SCRIPT = """
const PATH = __PATH__, SAVE_AFTER = __SAVE_AFTER__;
const field = (element) =>
  element.closest?.('[class*="st-key-draft_"]')?.className.match(/st-key-draft_(\\w+)/)?.[1];
const box = (name) => document.querySelector(`.st-key-draft_${name} :is(textarea, input)`);
function desk() {
  if (window.__studioDesk) return window.__studioDesk;
  const desk = { pending: {}, timer: null, walk: null };
  const id = () => document.querySelector("[data-draft]")?.dataset.draft;
  const save = () => {
    clearTimeout(desk.timer);
    const body = JSON.stringify(desk.pending);
    if (body === "{}" || !id()) return;
    desk.pending = {};
    const headers = { "Content-Type": "application/json" };
    fetch(PATH + id(), { method: "PUT", body, headers, keepalive: body.length < 60000 }).catch(() => {});
  };
  const count = (name) => {
    const text = box(name), shown = document.querySelector(`[data-count="${name}"]`);
    if (!text || !shown) return;
    const length = [...text.value].length, limit = Number(shown.dataset.limit), over = length - limit;
    const say = (number) => number.toLocaleString("en");
    shown.textContent = say(length) + " / " + say(limit) + (over > 0 ? ": shorten it by " + say(over) : "");
    shown.dataset.over = over > 0;
  };
  document.addEventListener("input", ({ target }) => {
    const name = field(target);
    if (!name || !document.querySelector("[data-draft]")) return;
    if (target.tagName !== "TEXTAREA" && target.type !== "text") return;
    count(name);
    desk.pending[name] = target.value;
    clearTimeout(desk.timer);
    desk.timer = setTimeout(save, SAVE_AFTER);
  }, true);
  document.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step || !event.altKey || event.ctrlKey || event.metaKey || field(event.target) !== "prompt") return;
    event.preventDefault();
    desk.walk?.({ step, text: event.target.value, at: Date.now() });
  }, true);
  for (const name of ["pagehide", "visibilitychange"]) window.addEventListener(name, save, true);
  return (window.__studioDesk = desk);
}
export default function ({ setTriggerValue }) {
  const here = desk();
  here.walk = (step) => setTriggerValue("walk", step);
  const place = () => {
    const id = document.querySelector("[data-draft]")?.dataset.draft, url = new URL(location.href);
    if (!id || url.searchParams.get("draft") === id) return;
    url.search = "?draft=" + id; // replaced, not added: the way back leads out of the page
    history.replaceState(history.state, "", url);
  };
  place();
  const timer = setInterval(place, 500);
  return () => clearInterval(timer);
}
"""


def desk(draft_id: str, on_walk: Callable[[], None]) -> None:
    """Mount the script, for the draft of this id."""
    script = _SCRIPT.replace("__PATH__", json.dumps(f"{base_path()}/drafts/"))
    st.components.v2.component("studio_desk", js=script.replace("__SAVE_AFTER__", str(SAVE_AFTER)))(
        key="desk", on_walk_change=on_walk
    )
    st.html(f'<i data-draft="{escaped(draft_id)}" hidden></i>')


def counted(field: str, text: str, limit: int) -> None:
    """Draw the number of characters of a field; the script keeps it true while somebody types."""
    over = len(text) - limit
    more = f": shorten it by {over:,}" if over > 0 else ""
    st.html(
        f'<div class="studio-count" data-count="{field}" data-limit="{limit}" '
        f'data-over="{str(over > 0).lower()}">{len(text):,} / {limit:,}{more}</div>'
    )
