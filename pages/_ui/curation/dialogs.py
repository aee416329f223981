"""The dialogs of curation: tags of one clip or of many, the note on a clip, and deleting files."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.films.chains import clips_with, has_others
from pages._ui.context import studio
from pages._ui.curation.asking import answers, at_start, begin, jobs_of
from pages._ui.curation.decisions import close
from pages._ui.current_user import acting
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, prompt_of, size
from pages._ui.library.filters import known_tags
from pages._ui.session_state import app_state

MOST_OFFERED = 24
ALREADY_DELETED = "Nothing is left to delete: somebody has deleted it already."


@st.dialog("Tags", icon=":material/label:", on_dismiss=close)
def tags(job_ids: Sequence[str], number: int) -> None:
    begin()
    jobs, key = jobs_of(job_ids), f"app.tags-{number}"
    ids, of_any = [job.id for job in jobs], list(dict.fromkeys(tag for job in jobs for tag in job.tags))
    # What is saved is the difference to what stood there at the start: somebody else may tag meanwhile.
    had = at_start(tuple(tag for tag in of_any if all(tag in job.tags for job in jobs)))
    of_some = [tag for tag in of_any if tag not in had]
    with st.form(f"{key}-form", border=False):
        if len(jobs) > 1:
            st.markdown(f"**{counted(len(jobs), 'clip', 'clips')}** are chosen.")
        offered = list(dict.fromkeys([*had, *known_tags()[:MOST_OFFERED]]))
        if offered:
            st.pills(
                "Tags" if len(jobs) == 1 else "Tags of all of them",
                offered,
                selection_mode="multi",
                default=list(had),
                format_func=escape_markdown,
                key=key,
            )
        if of_some:
            st.pills(
                "Take off",
                of_some,
                selection_mode="multi",
                format_func=escape_markdown,
                key=f"{key}-off",
                help="Some of them have these.",
            )
        st.text_input("New tags", placeholder="Separate several by commas", key=f"{key}-new")
        answers(number, "Save", lambda actions: _change_tags(actions, ids, had, key), in_form=True)


def _change_tags(actions: Actions, job_ids: Sequence[str], had: Sequence[str], key: str) -> bool:
    # Read at the press, which may come with a choice that no run has seen yet.
    chosen = list(st.session_state.get(key) or [])
    new = [tag.strip() for tag in str(st.session_state.get(f"{key}-new") or "").split(",")]
    added = [tag for tag in (*chosen, *new) if tag and tag not in had]
    taken = [tag for tag in had if tag not in (*chosen, *new)]
    taken += [tag for tag in st.session_state.get(f"{key}-off") or [] if tag not in added]
    if taken:
        actions.remove_tags(job_ids, taken)
    if added:
        actions.add_tags(job_ids, added)
    return True


@st.dialog("Note", icon=":material/sticky_note_2:", on_dismiss=close)
def note(job_ids: Sequence[str], number: int) -> None:
    begin()
    job = jobs_of(job_ids)[0]
    key, had = f"app.note-{number}", at_start((job["note"],))[0]
    with st.form(f"{key}-form", border=False):
        # Without `max_chars`: the browser would drop what is too long without a word; the refusal says it.
        st.text_area(
            "Note",
            had,
            help="Everybody who sees this clip can read it. An empty note takes it away.",
            key=key,
        )
        if job["note"] != had:
            st.caption(f"Somebody has written meanwhile: {escape_markdown(job['note'] or 'nothing')}")
        answers(number, "Save", lambda actions: _change_note(actions, job.id, had, key), in_form=True)


def _change_note(actions: Actions, job_id: str, had: str, key: str) -> bool | None:
    state, job = app_state(), studio().ledger.get(job_id)
    if job is not None and job["note"] != had:
        state.at_start = (job["note"],)  # the next press means it
        state.refused = "Somebody has changed the note meanwhile. Save again to put yours in its place."
        return None
    return bool(actions.set_note(job_id, str(st.session_state.get(key) or ""))) or True


@st.dialog("Delete files", icon=":material/delete:", on_dismiss=close)
def delete(job_ids: Sequence[str], number: int) -> None:
    begin()
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
    if words := _of_films(found.jobs):
        st.warning(words, icon=":material/movie:")
    if found.without:
        st.caption(f"{counted(found.without, 'job has', 'jobs have')} no file here and stay as they are.")
    answers(number, f"Delete {clips}", lambda actions: _delete_files(actions, found.jobs))


def _of_films(job_ids: Sequence[str]) -> str:
    """Return what becomes of the films that clips are parts of; empty if there are none."""
    get, made_from = studio().ledger.get, studio().ledger.index.made_from
    films = [
        clips_with(job, get, made_from)
        for job in jobs_of(job_ids)
        if not has_others(job, job_ids, get, made_from)
    ]
    lengths = [len(film) for film in films if len(film) > 1]
    if not lengths:
        return ""
    if len(job_ids) == 1:
        which, without, film = f"It is one of the {lengths[0]} clips of a film.", "it", "that film"
    else:
        which = f"{counted(len(lengths), 'of them is a clip', 'of them are clips')} of a film."
        without, film = "them", "such a film"
    return f"**{which}** Without {without}, {film} can no longer be played or downloaded as one."


def _delete_files(actions: Actions, job_ids: Sequence[str]) -> bool:
    try:
        done = actions.delete_files(job_ids)
        said = f"{counted(len(done.jobs), 'clip is', 'clips are')} deleted." if done.jobs else ALREADY_DELETED
    except OSError as error:
        said = f"Not all is deleted: the folder of videos cannot be changed ({error})."
    app_state().said = escape_markdown(said)
    return True
