"""Under the prompt: the pictures that the video begins and ends with.

They come by choosing, dropping or pasting a file (pictures.js), or from a clip; the draft names them by hash.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from kling.catalog import Model, catalog
from kling.problems import listed
from kling.studio.pictures.store import Picture, PictureRefused
from kling.studio.pictures.words import CROPPED
from kling.studio.prompting.draft import Draft
from kling.studio.uploads import MOST_BYTES
from pages._ui.address import base_path
from pages._ui.composer.draft_state import read_draft, replace_draft
from pages._ui.composer.field_errors import FieldErrors
from pages._ui.composer.notice import notice
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.scripts.assets import loader
from pages._ui.session_state import PictureNews, composer_state
from pages._ui.words import CONTINUE

KEY = "composer.pictures"
TITLES = {"first_frame": "First frame", "last_frame": "Last frame"}
IS_FIRST_NOW = "The last frame is the first one now: Kling takes no last frame without a first one."
TOO_LONG = "Kling takes no picture whose longer side is more than 2.5 times the shorter one."
MOST_WORDS = 400  # characters of what the script says
_RATIOS = ((16, 9), (9, 16), (1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (5, 4), (4, 5), (21, 9), (5, 2), (2, 5))
_SCRIPT = Path(__file__).with_suffix(".js")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = _SCRIPT.read_text(encoding="utf-8").replace("__MOST_BYTES__", str(MOST_BYTES))
    script = script.replace("__PATH__", json.dumps(f"{base_path()}/pictures"))
    return st.components.v2.component("studio_pictures", js=loader("pictures", script))


def pictures(draft: Draft, errors: FieldErrors) -> None:
    """Draw the slots, and what is wrong with what lies in them."""
    with st.container(key="pictures"):
        _component()(key=KEY, on_given_change=on_given)
        first, last = (picture_of(name) for name in (draft.first_frame, draft.last_frame))
        slots = [_slot("first_frame", draft.first_frame, first, "Drop, paste or choose a picture")]
        if draft.first_frame or draft.last_frame:
            slots.append(_slot("last_frame", draft.last_frame, last))
            if draft.first_frame and draft.last_frame:
                slots.insert(1, _act("swap", "swap_horiz", "Swap the two"))
        st.html(f'<div class="studio-frames">{"".join(slots)}</div>')
        if len(slots) > 1 and not _takes_last(draft.known):
            (st.error if draft.last_frame else st.caption)(_who_does(draft))
        news = composer_state().picture_news
        if news is not None and news.problem:
            st.error(escape_markdown(news.problem), icon=":material/warning:")
            _offer_cropped(*news.cropped)
        elif news is not None and news.draft == (draft.first_frame, draft.last_frame):
            st.caption(escape_markdown(" ".join(news.notes)))
        if draft.first_frame and draft.known is not None and not draft.known.image:
            st.error(f"{draft.known.title} animates no pictures: choose another model.")
        else:
            errors("image", "image_tail")
        for sha256, found in ((draft.first_frame, first), (draft.last_frame, last)):
            if sha256 and found is None:
                st.error("A picture of this draft is not kept any more: choose it again.")
        if first and last and _shape(first) != _shape(last):
            st.caption("The last frame has another shape than the first. The clip has that of the first.")
        notice(draft, "pictures")


def picture_of(sha256: str) -> Picture | None:
    """Return the facts of a picture of the draft; None for none, and for one that is gone."""
    return studio().pictures.find(sha256) if sha256 else None


def picture_named(beginning: str) -> str:
    """Return the name of the picture that is kept and whose name begins so; empty if there is none."""
    return studio().pictures.named(beginning)


def shape_of(draft: Draft) -> str:
    """Return the shape that the video will have after its first frame, in words; empty without one."""
    found = picture_of(draft.first_frame)
    return _shape(found) if found else ""


def start_from_frame(job_id: str, which: str = "last") -> tuple[Draft | None, str]:
    """Return the draft of a video that begins with a frame of a clip, or why there is none.

    Args:
        job_id: whose clip it is.
        which: `last` continues the clip, and leaves the words to be written; `first` begins like it.
    """
    from pages._ui.requests import form_request_of

    job = studio().ledger.get(job_id)
    try:
        picture = acting().keep_frame(job_id, "first" if which == "first" else "last")
    except PictureRefused as refused:
        return None, f"{CONTINUE} did not work: {refused} The form is as it was."
    request = form_request_of(job) if job is not None else None
    like = Draft.from_request(request) if request is not None else Draft()
    model = like.known
    if model is None or model.image is None or model.retired:
        like = Draft(aspect_ratio=like.aspect_ratio)
    values = like.to_json() | {
        "prompt": "" if which == "last" else like.prompt,
        "first_frame": picture.sha256,
        "last_frame": "",
        "cut": Draft().cut,
        "parent": job_id,
        "continues": which == "last",
    }
    return Draft.from_json(values), ""


def on_given() -> None:
    """Take what the script sends: pictures that were kept, or a press on what lies over a slot."""
    said = (st.session_state.get(KEY) or {}).get("given")
    if not isinstance(said, dict):
        return
    frames = said.get("frames")
    if isinstance(frames, list):
        _take(frames)
    elif said.get("act") == "swap":
        now = read_draft()
        replace_draft(first_frame=now.last_frame, last_frame=now.first_frame, continues=False)
    elif isinstance(act := said.get("act"), str):
        what, _, name = act.partition(":")
        if what == "remove":
            _remove(name)
        elif what == "clip" and name in TITLES:
            st.session_state["composer.frames_query"] = ""
            composer_state().dialog = name


def _take(frames: list[Any]) -> None:
    values: dict[str, Any] = {}
    notes, problem, cropped, before = [], "", ("", ""), read_draft()
    for frame in frames[:2]:
        name = frame.get("slot") if isinstance(frame, dict) else None
        if name not in TITLES:
            continue
        sha256 = frame.get("sha256")
        is_kept = isinstance(sha256, str) and picture_of(sha256) is not None
        if is_kept and frame.get("cropped"):
            problem, cropped = refused(name, TOO_LONG, before), (name, sha256)
        elif is_kept:
            values[name] = sha256
            notes += [str(note)[:MOST_WORDS] for note in frame.get("notes") or ()][:5]
        else:
            words = str(frame.get("problem") or "The picture could not be kept. Try again.")
            problem = refused(name, words[:MOST_WORDS], before)
    if "first_frame" in values:
        values["continues"] = False
    if values:
        replace_draft(**values)
    now = read_draft()
    composer_state().picture_news = PictureNews(
        problem, tuple(notes), (now.first_frame, now.last_frame), cropped
    )


def refused(name: str, why: str, draft: Draft) -> str:
    """Return why a picture was not taken, and what becomes of the one in its place.

    Args:
        name: of the frame, a key of `TITLES`.
        why: one or more sentences.
        draft: as it is.
    """
    return f"{TITLES[name]}: {why}{' The old picture stays.' if getattr(draft, name) else ''}"


def _offer_cropped(name: str, sha256: str) -> None:
    """Show the middle of a picture that Kling takes only so, and have a press put it into its slot."""
    found = picture_of(sha256)
    if found is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="cropped"):
        st.html(_image(sha256, found, "Its middle"), width="content")
        st.button(
            f"Use its middle, {_shape(found)}",
            icon=":material/crop:",
            key="composer.use_cropped",
            on_click=_take,
            args=([{"slot": name, "sha256": sha256, "notes": [CROPPED]}],),
        )


def _remove(name: str) -> None:
    now, news = read_draft(), None
    if name == "last_frame":
        replace_draft(last_frame="")
    elif name == "first_frame":
        replace_draft(first_frame=now.last_frame, last_frame="", continues=False)
        if now.last_frame:
            news = PictureNews(notes=(IS_FIRST_NOW,), draft=(now.last_frame, ""))
    composer_state().picture_news = news


def _takes_last(model: Model | None) -> bool:
    return model is None or bool(model.image and model.image.last_frame)


def _who_does(draft: Draft) -> str:
    able = [each.title for each in catalog().models.values() if _takes_last(each) and not each.retired]
    title = draft.known.title if draft.known else "This model"
    return f"{title} takes no last frame. Choose {listed(able)}."


def _slot(name: str, sha256: str, found: Picture | None, words: str = "") -> str:
    title = TITLES[name]
    if not sha256:
        return (
            f'<div class="studio-slot" data-frame="{name}"><button type="button" '
            f'data-choose-picture="{name}"><span class="ms" aria-hidden="true">add_photo_alternate</span>'
            f"<b>{title}</b><small>{escape_html(words)}</small></button>"
            f"{_act(f'clip:{name}', 'movie', f'{title} from a clip')}</div>"
        )
    shown = _image(sha256, found) if found else '<span class="ms" aria-hidden="true">broken_image</span>'
    size = _shape(found) if found else ""
    return (
        f'<div class="studio-slot" data-frame="{name}" data-full><button type="button" '
        f'data-choose-picture="{name}" title="Choose another picture">{shown}'
        f"<b>{title} <small>{size}</small></b></button>"
        f"{_act(f'remove:{name}', 'close', f'Remove the {title.lower()}')}</div>"
    )


def _image(sha256: str, found: Picture, alt: str = "") -> str:
    source = f"{base_path()}/pictures/{escape_html(sha256)}"
    return f'<img src="{source}" alt="{alt}" width="{found.width}" height="{found.height}">'


def _act(act: str, icon: str, title: str) -> str:
    return (
        f'<button type="button" data-frame-act="{act}" title="{title}" aria-label="{title}">'
        f'<span class="ms" aria-hidden="true">{icon}</span></button>'
    )


def _shape(picture: Picture) -> str:
    """Return the shape of a picture, as `16:9`, or its sides where it has none of the usual ones."""
    ratio = picture.width / picture.height
    for across, down in _RATIOS:
        if abs(ratio * down / across - 1) < 0.02:
            return f"{across}:{down}"
    return f"{ratio:.2f}:1"
