"""A component's script, joined from files as there is no build step, and the facts that it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pages._ui.escape import escape_html

ELEMENTS = Path(__file__).with_name("elements.js")  # makes elements, and writes what differs
FINGER = Path(__file__).with_name("finger.js")  # tells whether a finger swipes
SENDING = Path(__file__).with_name("sending.js")  # sends what is pressed; needs `ELEMENTS`
CLIP_TEXTS = Path(__file__).with_name("clip_texts.js")  # reads of a file of a clip what says how it was made
LISTS = Path(__file__).with_name("lists.js")  # more, for lists of clips; needs `ELEMENTS`


def script_of(*files: Path, **constants: object) -> str:
    """Return files as one module.

    Args:
        files: in this order.
        constants: stand before them, by their names in the script.
    """
    first = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items())
    return first + "".join(file.read_text(encoding="utf-8") for file in files)


def hidden_facts(name: str, told: Mapping[str, Any], **more: int | str) -> str:
    """Return a hidden element that tells a script what it shows, as JSON in `data-<name>`.

    A component's own `data` is not used for that: Streamlit would load pandas to look at it.

    Args:
        name: of the attribute.
        told: the facts, with texts of people in them.
        more: values of further attributes.
    """
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&":  # an attribute that seems to hold a tag would be dropped
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    others = "".join(f' data-{each}="{escape_html(str(value))}"' for each, value in more.items())
    return f'<i hidden data-{name}="{escape_html(text)}"{others}></i>'
