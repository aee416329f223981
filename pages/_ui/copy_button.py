"""A button that copies the code beside it, also on plain http."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

# On plain http a browser has no navigator.clipboard, and the copy button of `st.code` does nothing there.
# The script puts a clipboard in its place, which both buttons use.
_COPY = """
function copy(text, code) {
  if (code) getSelection().selectAllChildren(code);
  const give = (event) => {
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  };
  document.addEventListener("copy", give, true);
  try { return document.execCommand("copy"); } finally { document.removeEventListener("copy", give, true); }
}
export default function ({ parentElement }) {
  if (!navigator.clipboard) {
    const writeText = async (text) => { if (!copy(text)) throw new Error("The browser does not copy."); };
    Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
  }
  const button = parentElement.querySelector("button"), root = parentElement.getRootNode();
  const label = button.dataset.label;
  button.onclick = async () => {
    const box = (root.host ?? parentElement).closest('[class*="st-key-elsewhere_"]');
    const code = box.querySelector("code"), text = code.textContent;
    const written = async () => { await navigator.clipboard.writeText(text); return true; };
    const done = await written().catch(() => copy(text, code));
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = label), 2000);
  };
}
"""
_COPY_STYLE = """
button { font: inherit; font-size: 0.875rem; color: var(--st-text-color);
  background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: 0.25rem 0.75rem;
  min-height: 2.5rem; width: 100%; cursor: pointer; }
button:not([data-main]):hover { border-color: var(--st-primary-color); color: var(--acc); }
button[data-main] { background: var(--st-primary-color); border-color: var(--st-primary-color); color: #fff;
  font-weight: 600; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
"""


@cache
def _component(label: str) -> Any:
    """Return the button as a component, which Streamlit is told of once."""
    main = "" if label == "Copy" else " data-main"  # what its dialog is for
    html = f'<button type="button" aria-live="polite" data-label="{label}"{main}>{label}</button>'
    name = f"studio_{label.lower().replace(' ', '_')}"
    return st.components.v2.component(name, html=html, css=_COPY_STYLE, js=_COPY)


def copy_button(key: str, *, label: str = "Copy") -> None:
    """Draw the button. Its code is the first one in the container around both with a key `elsewhere_…`.

    Args:
        key: of the component.
        label: letters and blanks.
    """
    _component(label)(key=key, width=110)
