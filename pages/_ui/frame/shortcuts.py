"""The list of keys that `?` opens. It is complete: each part of a page that listens to keys stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pages._ui.escape import escape_html

# By where they work: the keys, each with what it does.
KEYS: Mapping[str, Sequence[tuple[str, str]]] = {
    "In the prompt": (
        ("Ctrl Enter", "Generate"),
        ("Alt ↑", "An earlier prompt; in a shot: move it up"),
        ("Alt ↓", "A later prompt; in a shot: move it down"),
        ("Delete", "Remove an empty shot"),
    ),
    "On the clip": (
        ("Space", "Play or pause"),
        ("F", "Full screen"),
        ("M", "Sound on or off"),
        ("S", "Star"),
        ("R", "Remix"),
        ("J K", "To the next clip of the strip, or the one before"),
        ("← →", "The same, in the strip; Home and End"),
        ("Enter", "Put that clip on the stage"),
    ),
    "In the lightbox": (
        ("← →", "To the clip before, or the next one"),
        ("Space", "Play or pause"),
        ("F", "Full screen"),
        ("M", "Sound on or off"),
        ("S", "Star"),
        ("1 – 5", "Rate; the same again takes it back"),
        ("C", "Choose it to compare; on another clip: compare the two"),
        ("R", "Remix"),
        ("H", "Hide it, or show it again"),
        ("P", "Present from this clip on"),
    ),
    "While presenting": (
        ("← →", "To the clip before, or the next one; Home and End"),
        ("A", "Go on by itself, or not"),
        ("L", "Begin again at the end, or not"),
        ("C", "Captions with prompts, without, or none"),
        ("B W", "Black or white screen"),
    ),
    "In History": (
        ("J K", "To the next row, or the one before; with Shift, select on the way"),
        ("Enter", "Open the job"),
        ("Space", "See its clip large"),
        ("X", "Select"),
        ("S", "Star"),
    ),
    "In Gallery": (
        ("← → ↑ ↓", "To the next picture; Home and End; with Shift, select on the way"),
        ("Enter", "Open the clip"),
        ("X", "Select; Esc selects nothing"),
        ("S", "Star what is selected, else this one"),
        ("C", "Compare what is selected"),
        ("H", "Hide it"),
        ("Shift F10", "What else can be done with it"),
        ("Alt ← →", "In a collection: move it"),
    ),
    "On a job’s page": (
        ("Space F M", "As on the clip"),
        ("J K", "To the next job of the list, or the one before"),
        ("S", "Star"),
        ("1 – 5", "Rate; the same again takes it back"),
        ("R", "Remix"),
        ("C", "Copy its link"),
        ("H", "Hide it, or show it again"),
    ),
    "While clips are compared": (
        ("Space", "Play or pause all"),
        (", .", "One frame back, or on"),
        ("← →", "One second back, or on"),
        ("1 – 4", "Hear this one; the same again silences it"),
        ("I O", "Loop from here, or until here"),
        ("L", "Clear the loop, or loop all"),
        ("Z", "The whole picture, or pixel by pixel"),
        ("Esc", "Back to the list"),
    ),
    "Everywhere": (
        ("?", "This list"),
        ("Esc", "Close what is open"),
    ),
}


KEYS_BUTTON = (
    '<button type="button" class="studio-icon" data-keys aria-label="Keys" title="Keys (?)">'
    '<span class="ms" aria-hidden="true">keyboard</span></button>'
)


def keys_dialog() -> str:
    """Return the list that the button opens, as HTML."""
    return (
        '<dialog class="studio-keys" aria-label="Keys"><form method="dialog"><h2>Keys</h2>'
        '<button class="studio-icon" aria-label="Close"><span class="ms" aria-hidden="true">close</span>'
        f"</button></form>{''.join(map(_group, KEYS))}</dialog>"
    )


def _group(where: str) -> str:
    rows = "".join(f"<dt>{_caps(keys)}</dt><dd>{escape_html(what)}</dd>" for keys, what in KEYS[where])
    mark = ' data-where="clip"' if where == "In the lightbox" else ""
    return f"<h3{mark}>{escape_html(where)}</h3><dl>{rows}</dl>"


def _caps(keys: str) -> str:
    return "".join(f"<kbd>{escape_html(key)}</kbd>" for key in keys.split())
