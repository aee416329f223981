"""What changed from one job to another: words that went and words that came, and other settings."""

from __future__ import annotations

from kling.studio.films.chains import continues
from kling.studio.jobs import Job
from kling.studio.prompting.word_diff import Piece, word_diff
from kling.video_to_audio import VideoToAudio
from pages._ui.escape import escape_html
from pages._ui.job.settings import LENGTH, MODEL, QUALITY, SHAPE, WATERMARK, settings_of
from pages._ui.requests import shown_request, text_of

MOST_CHANGES = 6  # of the words; a prompt that was written anew is no list of changes
LONGEST_TEXT = 4_000  # characters that are compared
AROUND = 1  # words that stay the same after a change, to tell its place
ANEW = 0.7  # share of changed letters from which the prompt counts as written anew
SEPARATOR = " · "
_WITHOUT_NAME = {MODEL, QUALITY, LENGTH, SHAPE, WATERMARK}  # settings whose words say what they are of


def changes_html(before: Job, job: Job) -> str:
    """Return the changes as HTML; `del` and `ins` say which is which to readers too.

    Args:
        before: the job that it was made from.
        job: the one that was made.
    """
    if isinstance(sound := shown_request(job), VideoToAudio):
        wanted = " · ".join(filter(None, (sound.sound_effect_prompt, sound.bgm_prompt)))
        return f"with sound: {_added(wanted or 'as Kling chooses')}"
    parts = [*(["goes on"] if continues(job) else []), *_words(before, job), *_settings(before, job)]
    return SEPARATOR.join(parts) or "the same once more"


def _words(before: Job, job: Job) -> list[str]:
    old, new = (text_of(shown_request(each))[:LONGEST_TEXT] for each in (before, job))
    if old == new:
        return _negative(before, job)
    pieces = word_diff(old, new)
    changed = sum(len(piece.text) for piece in pieces if piece.kind != "same")
    if changed > ANEW * (len(old) + len(new)):
        return [f"another prompt: {_added(' '.join(new.split())[:80])}"] if new else ["without a prompt"]
    found, at = [], 0
    while at < len(pieces):
        if pieces[at].kind == "same":
            at += 1
            continue
        group, at = _group(pieces, at)
        found.append(group)
    if len(found) > MOST_CHANGES:
        found[MOST_CHANGES:] = [f"{len(found) - MOST_CHANGES} more changes"]
    return [*found, *_negative(before, job)]


def _group(pieces: list[Piece], at: int) -> tuple[str, int]:
    """Return one change with the words after it, and where the next piece is."""
    html = ""
    while at < len(pieces) and pieces[at].kind != "same":
        piece = pieces[at]
        if text := piece.text.strip():
            html += f"{' ' if html else ''}{_gone(text) if piece.kind == 'removed' else _added(text)}"
        at += 1
    if at < len(pieces) and (after := pieces[at].text.split()[:AROUND]):
        html += f" {escape_html(' '.join(after).rstrip('.,;:'))}"
    return html or _added("line breaks"), at


def _negative(before: Job, job: Job) -> list[str]:
    old, new = before["negative_prompt"], job["negative_prompt"]
    if old == new:
        return []
    return [f"avoid {' '.join(filter(None, [_gone(old) if old else '', _added(new) if new else '']))}"]


def _settings(before: Job, job: Job) -> list[str]:
    old, new = settings_of(before), settings_of(job)
    found = []
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name, ""), new.get(name, "")
        if was != now:
            label = "" if name in _WITHOUT_NAME else f"{name.lower()} "
            words = " ".join(filter(None, [_gone(was) if was else "", _added(now) if now else ""]))
            found.append(f"{label}{words}")
    return found


def _gone(text: str) -> str:
    return f"<del>{escape_html(_short(text))}</del>"


def _added(text: str) -> str:
    return f"<ins>{escape_html(_short(text))}</ins>"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else f"{line[:119]}…"
