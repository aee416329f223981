"""All of a job's page, from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st

from kling.studio.changes import FILMS, LIBRARY
from kling.studio.jobs import Job
from kling.studio.library import JobQuery
from kling.studio.spending import counted_at
from kling.video_to_audio import VideoToAudio
from pages._ui.context import studio
from pages._ui.curation import overlays
from pages._ui.escape import escape_html
from pages._ui.format import WITHOUT_ORDER, prompt_of, state
from pages._ui.job.after import after
from pages._ui.job.came import came
from pages._ui.job.family import family, relatives
from pages._ui.job.film import film, parts_of
from pages._ui.job.frames import frames
from pages._ui.job.happened import happened
from pages._ui.job.moments import day_and_time
from pages._ui.job.opinions import opinions
from pages._ui.job.picture import picture
from pages._ui.job.request import request_and_answers
from pages._ui.job.top import buttons, way_back
from pages._ui.people import circle
from pages._ui.requests import is_found, shown_request, texts_of, words_of
from pages._ui.stage.facts import look_of
from pages._ui.words import DELETED, LOST

LOOKS = {"done": "ok", "failed": "bad", "made": "made", "held": "warn"}  # of the word for the state
TAKEN_IN = "Taken in"  # from another log, where it had not ended
ICONS = {"done": "check_circle", DELETED: "delete", LOST: "error", TAKEN_IN: "inventory_2"}


def concerned(job_id: str) -> Sequence[str]:
    """Return the names of what the page shows: jobs, and those beside it in the list."""
    job = studio().ledger.get(job_id)
    if job is None:
        return [job_id]
    parts = [part.id for part in parts_of(job)]
    film_too = [FILMS, *parts] if len(parts) > 1 else []
    return list(dict.fromkeys([LIBRARY, *(member.job.id for member in relatives(job).members), *film_too]))


def job_page(job_id: str, query: JobQuery, page: str) -> None:
    """Draw the page.

    Args:
        job_id: of the job.
        query: of the list that led here.
        page: that led here.
    """
    job = studio().ledger.get(job_id)
    if job is None or job.retracted:
        with st.container():
            way_back(None, query, page)
        nothing(job)
        return
    with st.container(key="job"):
        with st.container(key="job_top", horizontal=True, vertical_alignment="center"):
            way_back(job, query, page)
            buttons(job)
        with st.container(key="job_left"):
            with st.container(key="job_player"):
                picture(job, urlencode(query.to_address()))
                after(job)
            with st.container(key="job_words"):
                _words(job)
            film(job, query, page)
            family(job, query, page)
        with st.container(key="job_right"):
            with st.container(key="job_facts"):
                _who(job)
                came(job)
                frames(job)
            with st.container(key="job_happened"):
                happened(job)
            opinions(job)
            request_and_answers(job)
        overlays()


def nothing(job: Job | None) -> None:
    """Say why there is nothing to show."""
    if studio().ledger.opening:
        st.info("The log is being read. The job appears by itself.", icon=":material/hourglass_top:")
    elif job is not None:
        st.info("It was taken in from another log, and that was undone.", icon=":material/undo:")
    else:
        st.info(
            "The log has no job of this id. The link may be cut off, or of another studio.",
            icon=":material/search_off:",
        )


def _words(job: Job) -> None:
    """Draw the prompt, or the shots, each line in the direction of its own script."""
    if is_found(job):
        st.html(
            f'<p class="job-prompt">{WITHOUT_ORDER}</p>'
            '<p class="job-fine">This log does not have the prompt and the choices that it was made from.</p>'
        )
        return
    if isinstance(sound := shown_request(job), VideoToAudio):
        silent = studio().ledger.get(job.parent)
        html = "" if silent is None else f'<p class="job-prompt">{escape_html(prompt_of(silent))}</p>'
        texts = {"Sounds": sound.sound_effect_prompt, "Music": sound.bgm_prompt}
        st.html(html + "".join(_text(name, text or "As Kling chooses") for name, text in texts.items()))
        return
    request = words_of(job)
    html = ""
    if not request.multi_prompt or request.prompt:
        html += f'<p class="job-prompt">{escape_html(prompt_of(job))}</p>'
    texts = texts_of(request)
    texts["Negative prompt"] = texts.pop("Negative prompt")  # after the shots
    for name, text in texts.items():
        if text and name != "Prompt":
            html += _text(name, text)
    st.html(html)


def _text(name: str, text: str) -> str:
    return f'<h3 class="job-text">{escape_html(name)}</h3><p class="job-shot">{escape_html(text)}</p>'


def _who(job: Job) -> None:
    name = job["person"] or "Nobody named"
    look, word = look_of(job, studio().admission.position_of(job))
    if look in {"waiting", "made"}:
        word = state(job)[0]
    elif job.imported and job.import_facts.get("was"):
        word = TAKEN_IN
    icon = ICONS.get(word) or ICONS.get(look) or state(job)[1]
    st.html(
        f'<div class="job-who">{circle(job["person"])}<div><b>{escape_html(name)}</b>'
        f"<span>{escape_html(day_and_time(counted_at(job)))}</span></div>"
        f'<span class="job-state" data-look="{LOOKS.get(look, "")}">'
        f'<span class="ms" aria-hidden="true">{icon}</span>{escape_html(word)}</span></div>'
    )
