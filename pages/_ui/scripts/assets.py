"""Scripts and style sheets under addresses that change with their text, so that browsers keep them.

What Streamlit's messages hold is sent again with most runs, and not compressed. So they hold two lines
for each component, which load the rest from `/assets` (routes/assets.py).
"""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path

from pages._ui.address import base_path

PATH = "/assets"
_packed: dict[str, bytes] = {}  # what the server answers with, compressed, by its name


def kept_by_browsers(name: str, text: str) -> str:
    """Let the server answer with a text, as long as it runs, and return the path of its address.

    Args:
        name: ends in `.js` or `.css`.
        text: without anything that is only for one person or session.
    """
    lean = (lean_sheet if name.endswith(".css") else lean_script)(text)
    first, dot, kind = name.rpartition(".")
    whole = f"{first}-{sha256(lean.encode()).hexdigest()[:16]}{dot}{kind}"
    if whole not in _packed:
        _packed[whole] = gzip.compress(lean.encode(), mtime=0)
    return f"{base_path()}{PATH}/{whole}"


def packed_text(name: str) -> bytes | None:
    """Return what is kept under the last part of an address, compressed with gzip; None if nothing is."""
    return _packed.get(name)


def loader(name: str, script: str) -> str:
    """Return the lines of a component that load its script, and then do what the script does.

    Args:
        name: a word that says what it is.
        script: a whole module. Its default function is called as Streamlit calls a component's.
    """
    # Two lines: Streamlit takes a single one for the name of a file.
    load = f"const load = () => {loading(name, script)};\n"
    return f"{load}export default async (given) => (await load()).default(given);"


def loading(name: str, script: str) -> str:
    """Return an expression of JavaScript that loads a script: the promise of its module (load.js).

    Args:
        name: a word that says what it is.
        script: a whole module.
    """
    return f"studioLoad({json.dumps(kept_by_browsers(f'{name}.js', script))})"


def loads() -> str:
    """Return the script of every page that `loader` and `loading` need (routes/page_html.py)."""
    return lean_script(Path(__file__).with_name("load.js").read_text(encoding="utf-8"))


def lean_script(text: str) -> str:
    """Return a script without comments and indents; one at the end of a line stays if it has a quote."""
    lines = (re.sub(r"""\s+// [^"'`]*$|^//.*""", "", line.strip()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def lean_sheet(text: str) -> str:
    """Return a style sheet without its comments, in one line, without blanks that mean nothing."""
    line = " ".join(re.sub(r"/[*].*?[*]/", "", text, flags=re.DOTALL).split())
    return re.sub(r"""("[^"]*"|'[^']*')| ?([{};>]) ?|([:,]) """, r"\1\2\3", line)
