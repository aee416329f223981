"""The dialogs of curation: tags of one clip or of many, the note on a clip, and deleting files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.curation import LONGEST_NOTE, MOST_TAGS
from kling.studio.jobs import Job
from pages._ui.context import studio
from pages._ui.curation.decisions import close
from pages._ui.current_user import acting
from pages._ui.decide import REFUSALS
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, prompt_of, size
from pages._ui.session_state import app_state

LOOKED_AT = 1_000  # newest jobs whose tags are offered
MOST_OFFERED = 100


@st.dialog("Tags", icon=":material/label:", on_dismiss=close)
def _tags(job_ids: Sequence[str], number: int) -> None:
    _leave_if_answered()
    jobs = _jobs(job_ids)
    have = list(dict.fromkeys(tag for job in jobs for tag in job.tags))
    key, ids = f"app.tags-{number}", [job.id for job in jobs]
    if len(jobs) == 1:
        st.multiselect(
            "Tags",
            list(dict.fromkeys([*have, *_offered()])),
            default=have,
            accept_new_options=True,
            max_selections=MOST_TAGS,
            placeholder="Choose, or type a new one",
            key=key,
        )
        _answers(number, "Save", lambda actions: actions.set_tags(ids, _value(key)))
        return
    st.markdown(f"**{counted(len(jobs), 'clip', 'clips')}** are chosen.")
    st.multiselect(
        "Add",
        [tag for tag in _offered() if not all(tag in job.tags for job in jobs)],
        accept_new_options=True,
        max_selections=MOST_TAGS,
        placeholder="Choose, or type a new one",
        key=key,
    )
    taken_key = f"app.tags-off-{number}"
    if have:
        st.multiselect("Take off", have, placeholder="Choose", key=taken_key)
    _answers(number, "Save", lambda actions: _add_and_take(actions, ids, _value(key), _value(taken_key)))


def _value(key: str) -> list[str]:
    """Return what a field holds now: the press may come with a choice that no run has seen yet."""
    return list(st.session_state.get(key) or [])


def _add_and_take(
    actions: Actions, job_ids: Sequence[str], added: Sequence[str], taken: Sequence[str]
) -> bool:
    if added:
        actions.add_tags(job_ids, added)
    if taken:
        actions.remove_tags(job_ids, taken)
    return True


@st.dialog("Note", icon=":material/sticky_note_2:", on_dismiss=close)
def _note(job_ids: Sequence[str], number: int) -> None:
    _leave_if_answered()
    job = _jobs(job_ids)[0]
    key = f"app.note-{number}"
    st.text_area(
        "Note",
        job["note"],
        max_chars=LONGEST_NOTE,
        help="Everybody who sees this clip can read it. An empty note takes it away.",
        key=key,
    )
    _answers(number, "Save", lambda actions: actions.set_note(job.id, str(st.session_state.get(key) or "")))


@st.dialog("Delete files", icon=":material/delete:", on_dismiss=close)
def _delete(job_ids: Sequence[str], number: int) -> None:
    _leave_if_answered()
    found = acting().files_of(job_ids)
    if not found.jobs:
        st.markdown("There is nothing to delete: no clip of these is here.")
        st.button("Close", key=f"app.asked-no-{number}", on_click=close)
        return
    clips = counted(len(found.jobs), "clip", "clips")
    files = counted(found.files, "file", "files")
    st.markdown(f"**Delete {clips} for good?** {files}, {size(found.size)}.")
    if len(found.jobs) == 1 and (job := studio().ledger.get(found.jobs[0])) is not None:
        st.caption(escape_markdown(" ".join(prompt_of(job).split())[:200]))
    st.markdown(
        "Prompt, cost and everything else stay in History. The file cannot be brought back: it is not "
        "fetched from Kling again."
    )
    if found.without:
        st.caption(f"{counted(found.without, 'job has', 'jobs have')} no file here and stay as they are.")
    _answers(number, f"Delete {clips}", lambda actions: _delete_files(actions, found.jobs))


def _delete_files(actions: Actions, job_ids: Sequence[str]) -> str:
    """Delete them; return what to say."""
    try:
        done = actions.delete_files(job_ids)
    except OSError as error:
        return f"Not all is deleted: the folder of videos cannot be changed ({escape_markdown(str(error))})."
    return f"{counted(len(done.jobs), 'clip is', 'clips are')} deleted."


def _jobs(job_ids: Sequence[str]) -> list[Job]:
    return [job for job in map(studio().ledger.get, job_ids) if job is not None]


def _offered() -> list[str]:
    """Return the tags of the newest jobs, those first that most of them have."""
    counts = Counter(tag for job in studio().ledger.index.newest(0, LOOKED_AT) for tag in job.tags)
    return [tag for tag, _ in counts.most_common(MOST_OFFERED)]


def _answers(number: int, yes: str, act: Callable[[Actions], object]) -> None:
    """Draw the two buttons under a dialog; whichever is pressed closes it, unless it was refused."""
    with st.container(horizontal=True):
        st.button(yes, type="primary", key=f"app.asked-yes-{number}", on_click=_do, args=(act,))
        st.button("Cancel", key=f"app.asked-no-{number}", on_click=close)


def _leave_if_answered() -> None:
    """Have the page run without the dialog, which a press in it draws alone."""
    if not app_state().asked[0]:
        st.rerun()


def _do(act: Callable[[Actions], object]) -> None:
    """Do what was asked, and close the dialog unless that is refused.

    Streamlit may stop a run at each access to the session: all of them stand before the act, or after the
    dialog is closed. Otherwise it would ask again about what is done already.
    """
    state, actions = app_state(), acting()
    try:
        said = act(actions)
    except REFUSALS as error:
        st.toast(escape_markdown(str(error)), icon=":material/warning:")
        return
    state.asked = ("", (), state.asked[2])
    if isinstance(said, str):
        st.toast(said)


DIALOGS: Mapping[str, Callable[[Sequence[str], int], None]] = {
    "tag": _tags,
    "note": _note,
    "delete": _delete,
}
