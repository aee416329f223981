"""Scripts and style sheets under addresses that change with their text, so that browsers keep them.

What Streamlit's messages hold is sent again with most runs, and not compressed. So they hold a few lines for
each component, which load the rest from `/assets` (routes/assets.py).
"""

from __future__ import annotations

import json
import re
from hashlib import sha256

from pages._ui.address import base_path

PATH = "/assets"
# A browser may keep that a script did not come, so another address asks for it again.
_LOAD = """\
const path = location.origin + %s;
async function load() {
  for (let tries = 0; ; tries += 1) {
    try { return await import(tries ? `${path}?${tries}` : path); }
    catch (error) { if (tries === 4) throw error; }
    await new Promise((go) => setTimeout(go, 250 * 2 ** tries));
  }
}
"""
_texts: dict[str, str] = {}  # by their names


def kept_by_browsers(name: str, text: str) -> str:
    """Let the server answer with a text, as long as it runs, and return the path of its address.

    Args:
        name: ends in `.js` or `.css`.
        text: without anything that is only for one person or session.
    """
    lean = (lean_sheet if name.endswith(".css") else lean_script)(text)
    first, dot, kind = name.rpartition(".")
    whole = f"{first}-{sha256(lean.encode()).hexdigest()[:16]}{dot}{kind}"
    _texts[whole] = lean
    return f"{base_path()}{PATH}/{whole}"


def text_of(name: str) -> str | None:
    """Return what is kept under the last part of an address; None if nothing is."""
    return _texts.get(name)


def loader(name: str, script: str) -> str:
    """Return the few lines of a component that load its script, and then do what the script does.

    Args:
        name: a word that says what it is.
        script: a whole module. Its default function is called as Streamlit calls a component's.
    """
    return f"{loading(name, script)}export default async (given) => (await load()).default(given);\n"


def loading(name: str, script: str) -> str:
    """Return a function `load` in JavaScript, whose promise is the module of a script.

    Args:
        name: a word that says what it is.
        script: a whole module.
    """
    return _LOAD % json.dumps(kept_by_browsers(f"{name}.js", script))


def lean_script(text: str) -> str:
    """Return a script without its lines of comment and without indents."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def lean_sheet(text: str) -> str:
    """Return a style sheet without its comments, in one line."""
    return " ".join(re.sub(r"/[*].*?[*]/", "", text, flags=re.DOTALL).split())
