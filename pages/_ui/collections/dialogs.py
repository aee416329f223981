"""The dialogs of collections: put clips into one, change its words, and delete one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.state.records import (
    Collection,
    CollectionChanged,
    CollectionError,
)
from pages._ui.collections.address import ID, collection_link
from pages._ui.context import studio
from pages._ui.curation.asking import answers, at_start, begin, jobs_of
from pages._ui.curation.decisions import close
from pages._ui.escape import escape_markdown, with_link
from pages._ui.format import counted
from pages._ui.session_state import app_state

OPEN = "Open the collection"


@st.dialog("Collect", icon=":material/library_add:", on_dismiss=close)
def collect(job_ids: Sequence[str], number: int) -> None:
    """Ask for the collection that clips are put into: one that there is, or a new one.

    Args:
        job_ids: of the clips.
        number: of the dialog in this session.
    """
    begin()
    jobs, key = jobs_of(job_ids), f"app.collect-{number}"
    ids = [job.id for job in jobs]
    there = {each.id: each for each in studio().state.collections.all()}
    with st.form(f"{key}-form", border=False):
        if len(jobs) > 1:
            st.markdown(f"**{counted(len(jobs), 'clip', 'clips')}** are chosen.")
        if there:
            st.selectbox(
                "Collection",
                list(there),
                format_func=lambda each: _line(there[each], ids) if each in there else "",
                key=key,
                help="The one that was changed last comes first.",
            )
        st.text_input(
            "Or a new one" if there else "Title of a new collection",
            placeholder="Its title",
            key=f"{key}-new",
        )
        answers(number, "Collect", lambda actions: _put(actions, ids, key), in_form=True)


def _line(collection: Collection, job_ids: Sequence[str]) -> str:
    """Return the title of a collection, and how many clips are in it, of these too."""
    in_it = sum(each in collection.clips for each in job_ids)
    known = "" if not in_it else ", has it" if len(job_ids) == 1 else f", has {in_it} of them"
    return f"{collection.title} · {counted(len(collection.clips), 'clip', 'clips')}{known}"


def _put(actions: Actions, job_ids: Sequence[str], key: str) -> bool:
    new = str(st.session_state.get(f"{key}-new") or "").strip()
    chosen = str(st.session_state.get(key) or "")
    if new:
        done, before = actions.add_collection(new, clips=job_ids), 0
    elif chosen:
        seen = studio().state.collections.get(chosen)
        before = len(seen.clips) if seen else 0
        done = actions.collect(chosen, job_ids)
    else:
        raise CollectionError("Title: give the new collection a name.")
    added = max(0, len(done.clips) - before)
    said = f"{counted(added, 'clip is', 'clips are')} now in “{done.title}”."
    said = said if added else f"“{done.title}” has all of them already."
    app_state().said = with_link(said, OPEN, collection_link(done.id))
    return True


@st.dialog("Collection", icon=":material/edit:", on_dismiss=close)
def edit(chosen: Sequence[str], number: int) -> None:
    """Ask for the title and the text of a collection, or of a new one.

    Args:
        chosen: id of the collection; none for a new one.
        number: of the dialog in this session.
    """
    begin()
    key, now = f"app.collection-{number}", _collection(chosen)
    if chosen and now is None:
        st.markdown("Somebody has deleted this collection.")
        st.button("Close", key=f"app.asked-no-{number}", on_click=close)
        return
    title, text, _ = at_start((now.title, now.text, str(now.version)) if now else ("", "", ""))
    with st.form(f"{key}-form", border=False):
        if now and (now.title, now.text) != (title, text):
            st.caption(f"{escape_markdown(now.changed_by or 'Somebody')} has changed it meanwhile.")
        # Without `max_chars`: the browser would drop what is too long without a word; `_save` says it.
        st.text_input("Title", title, key=f"{key}-title")
        st.text_area(
            "Text",
            text,
            key=f"{key}-text",
            help="A few lines for whoever looks at it. A shared link shows them too.",
        )
        yes = "Save" if now else "Make it"
        answers(number, yes, lambda actions: _save(actions, chosen, key), in_form=True)


def _save(actions: Actions, chosen: Sequence[str], key: str) -> bool | None:
    title = str(st.session_state.get(f"{key}-title") or "")
    text = str(st.session_state.get(f"{key}-text") or "")
    state = app_state()
    if not chosen:
        made = actions.add_collection(title, text=text)
        said = f"“{made.title}” is there. Select clips and press Collect to fill it."
        state.said = with_link(said, OPEN, collection_link(made.id))
        return True
    if (now := _collection(chosen)) is None:
        raise CollectionChanged("Somebody has deleted this collection.")
    if state.at_start is not None and state.at_start[2] != str(now.version):
        state.at_start = (now.title, now.text, str(now.version))  # the next press means it
        state.refused = (
            f"{now.changed_by or 'Somebody'} has changed it meanwhile, to “{now.title}”. "
            "Save again to put yours in its place."
        )
        return None
    actions.change_collection(now, title=title, text=text)
    return True


@st.dialog("Delete the collection", icon=":material/delete:", on_dismiss=close)
def delete(chosen: Sequence[str], number: int) -> None:
    """Ask whether a collection is to be deleted.

    Args:
        chosen: id of the collection.
        number: of the dialog in this session.
    """
    begin()
    if (now := _collection(chosen)) is None:
        st.markdown("Somebody has deleted this collection.")
        st.button("Close", key=f"app.asked-no-{number}", on_click=close)
        return
    clips = counted(len(now.clips), "clip stays", "clips stay")
    st.markdown(f"Delete **{escape_markdown(now.title)}** for good?")
    st.markdown(f"Its {clips} in Gallery. Links that show this collection show nothing from then on.")
    answers(number, "Delete the collection", lambda actions: _delete(actions, now))


def _delete(actions: Actions, collection: Collection) -> bool:
    actions.delete_collection(collection.id)
    app_state().said = escape_markdown(f"“{collection.title}” is deleted.")
    if st.query_params.get(ID) == collection.id:  # its own page: the next run shows all of them
        del st.query_params[ID]
    return True


def _collection(chosen: Sequence[str]) -> Collection | None:
    return studio().state.collections.get(chosen[0]) if chosen else None
