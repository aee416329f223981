"""Export the request as JSON, cURL or Python; import any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from kling.image_to_video import ImageToVideo
from kling.studio.prompting import export_request, import_request
from kling.studio.prompting.draft import Draft, FormRequest
from pages._ui.address import base_path
from pages._ui.composer import draft_state
from pages._ui.composer.pictures import picture_named, picture_of
from pages._ui.composer.variations import plan
from pages._ui.context import studio
from pages._ui.copy_button import copy_button
from pages._ui.escape import escape_markdown
from pages._ui.stage.remix import move_focus
from pages._ui.words import EXPORT_AS_CODE

FILLED = "What you pasted is in the form."
PLACEHOLDER = '{"model_name": "kling-v2-6", "prompt": "…"}   or   curl … --data \'{…}\''


@st.dialog(EXPORT_AS_CODE, width="large", icon=":material/ios_share:")
def import_export(begin_with: Callable[[Draft, Sequence[str]], None]) -> None:
    """Show the request as JSON, cURL and Python, and take JSON or cURL.

    Args:
        begin_with: fills the form with a draft, and shows notes.
    """
    request, base_url = _request(), studio().settings.base_url
    for problem in request.problems(retired_ok=studio().connection.is_sandbox):
        st.warning(
            escape_markdown(f"As it is, it would be refused. {problem.message}"), icon=":material/warning:"
        )
    files, is_newer = _files(request), export_request.is_newer(request)
    as_json, as_curl, as_python, paste = st.tabs(["JSON", "cURL", "Python", "Paste"])
    with as_json:
        named = " but for the pictures, which have names of this studio here" if files else ""
        address = "In the call, `model_name` is in the address. " if is_newer else ""
        st.caption(f"The body of the create call{named}. {address}*Paste* takes it back.")
        _code(export_request.to_json(request), "json", "request.json", "application/json")
    with as_curl:
        _how_to_run("in bash")
        _pictures(files)
        text = export_request.to_curl(request, base_url=base_url, files=files)
        _code(text, "bash", "create.sh", "text/x-shellscript")
    with as_python:
        _how_to_run(f"with `requests` {'' if is_newer else 'and `pyjwt` '}installed")
        _pictures(files)
        text = export_request.to_python(request, base_url=base_url, files=files)
        _code(text, "python", "create.py", "text/x-python")
    with paste:
        _paste(begin_with)


def _request() -> FormRequest:
    """Return the draft's request; of a table of variations, the one that is chosen here."""
    draft = draft_state.read_draft()
    requests = plan(draft).requests or (draft.request(),)
    if len(requests) == 1:
        return requests[0]
    which = st.number_input(
        f"Which of the {len(requests)} that are ticked", 1, len(requests), key="composer.export_row"
    )
    return requests[which - 1]


def _files(request: FormRequest) -> dict[str, str]:
    """Return the names of the files that the programs read pictures from, by the names of the pictures."""
    names = (request.image, request.image_tail) if isinstance(request, ImageToVideo) else ()
    suffixes = {"image/png": "png", "image/jpeg": "jpg"}
    found = {name: picture for name in names if (picture := picture_of(name))}
    return {name: f"{name[:12]}.{suffixes[picture.media_type]}" for name, picture in found.items()}


def _pictures(files: Mapping[str, str]) -> None:
    """Offer the pictures that a program reads from files beside it."""
    if files:
        links = " and ".join(
            f'<a href="{base_path()}/pictures/{name}" download="{file}">{file}</a>'
            for name, file in files.items()
        )
        st.html(f'<p class="compose-choose">Save beside it: {links}.</p>')


def _how_to_run(how: str) -> None:
    if studio().connection.is_sandbox:
        st.caption(
            f"Runs {how}. For free: start `python -m kling.sandbox` in another terminal, and export what it "
            "prints. (The studio’s own sandbox keeps its keys to itself.)"
        )
    else:
        st.caption(f"Runs {how}, is billed, and takes its key from the environment: there is none in it.")


def _code(text: str, language: str, file_name: str, mime: str) -> None:
    with st.container(key=f"elsewhere_{language}"):
        with st.container(horizontal=True):
            copy_button(f"composer.copy-{language}")
            st.download_button(
                f"Download {file_name}",
                text,
                file_name,
                mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"composer.download-{language}",
            )
        st.code(text, None, wrap_lines=True)


def _paste(begin_with: Callable[[Draft, Sequence[str]], None]) -> None:
    text = st.text_area("JSON or a cURL command", height=300, placeholder=PLACEHOLDER, key="composer.pasted")
    if st.button("Fill the form", type="primary", key="composer.fill"):
        try:
            found = import_request.parse_request(text, picture_named)
        except import_request.ImportRequestError as error:
            st.error(escape_markdown(str(error)))
            return
        draft, notes = import_request.draft_of(found)
        begin_with(draft, (FILLED, *notes))
        move_focus("prompt")  # the form may be scrolled to its end, where the dialog was opened
        st.rerun()
    st.caption("The draft that you have now is kept.")
    st.html(
        '<p class="compose-choose">A clip that was downloaded here, or the .json beside it, has its settings '
        'in it: <button type="button" data-choose-file>Choose a file</button>, or drop it on the page.</p>'
    )
