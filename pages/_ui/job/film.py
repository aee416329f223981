"""The film that a clip is a part of: all its parts as one, played without a gap."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st

from kling.studio.films.chains import clips_with
from kling.studio.films.store import Film
from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import Job
from kling.studio.library import JobQuery
from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.curation import share_dialog
from pages._ui.current_user import acting
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.format import counted, prompt_of
from pages._ui.job.address import job_link
from pages._ui.sharing.allowed import may_share
from pages._ui.stage.facts import shape_of

DOWNLOAD_FILM, PRESENT_FILM, SHARE_FILM = "Download the film", "Present the film", "Share the film"
ENCODED = "Its parts have different sizes or speeds, so they were encoded once more."
WAITS = "Other films are joined first. Open the page again in a moment."


def parts_of(job: Job) -> tuple[Job, ...]:
    """Return the clips of the film that a job is a part of, from the first one; one alone is no film.

    Args:
        job: any part of it.
    """
    parts = clips_with(job, studio().ledger.get, studio().ledger.index.made_from)
    return parts if all(PLAIN_ID.fullmatch(part.id) for part in parts) else ()


def film_of(parts: Sequence[Job]) -> Film:
    """Return the film of clips, which begins to be joined where it is not there."""
    return studio().films.film(parts, person=acting().who)


def film(job: Job, query: JobQuery, page: str) -> None:
    """Draw the film; nothing for a clip that stands alone.

    Args:
        job: a part of it.
        query: of the list that led to the page.
        page: that led there.
    """
    parts = parts_of(job)
    if len(parts) < 2:
        return
    found = film_of(parts)
    length = f", {found.seconds:.1f} s" if found.state == "ready" else ""
    with st.container(key="job_film"):
        st.html(
            '<h2 class="job-heading">Film '
            f"<small>{counted(len(parts), 'clip', 'clips')} that go on with each other{length}</small></h2>"
        )
        if found.state == "ready":
            _player(parts, found)
        elif found.state == "failed":
            st.warning(
                escape_markdown(f"The film cannot be made. {found.problem}"), icon=":material/warning:"
            )
        elif found.state == "busy":
            st.info(WAITS, icon=":material/hourglass_top:")
        else:
            words = "The clips are being joined to one film. It appears here by itself."
            st.info(words, icon=":material/hourglass_top:")
        st.html(f'<ol class="job-parts">{_parts(parts, found, job, query, page)}</ol>')
        if found.state == "ready":
            _ways(parts, found)


def _player(parts: Sequence[Job], found: Film) -> None:
    wide, high = shape_of(parts[0])
    poster = f"{base_path()}/clips/{parts[0].id}.jpg"
    words = f"The film of {len(parts)} clips: {prompt_of(parts[0])[:200]}"
    st.html(
        '<div class="studio-player"><video controls playsinline preload="metadata" '
        f'poster="{escape_html(poster)}" src="{escape_html(f"{base_path()}/films/{found.name}")}" '
        f'aria-label="{escape_attribute(words)}" style="aspect-ratio:{wide}/{high}"></video></div>'
    )


def _parts(parts: Sequence[Job], found: Film, job: Job, query: JobQuery, page: str) -> str:
    starts = found.starts if len(found.starts) == len(parts) else ()
    rows = []
    for number, part in enumerate(parts):
        at = f"{starts[number]:.1f} s" if starts else ""
        picture = f'<img alt="" loading="lazy" src="{base_path()}/clips/{part.id}.jpg">'
        label = f"Part {number + 1}: {' '.join(prompt_of(part).split())[:120]}"
        inside = f"{picture}<span><b>{number + 1}</b> {at}</span>"
        if part.id == job.id:
            words = escape_attribute(f"{label}, this clip")
            rows.append(
                f'<li><span class="job-part" aria-current="true" role="img" aria-label="{words}">{inside}'
                "</span></li>"
            )
        else:
            href, words = escape_html(job_link(part.id, query, page=page)), escape_attribute(label)
            rows.append(
                f'<li><a class="job-part" data-open href="{href}" aria-label="{words}" title="{words}">'
                f"{inside}</a></li>"
            )
    return "".join(rows)


def _ways(parts: Sequence[Job], found: Film) -> None:
    """Draw what can be done with a film that is joined."""
    href = f"{base_path()}/film?{urlencode({'of': parts[-1].id})}"
    told = json.dumps({"ids": [part.id for part in parts]})
    with st.container(key="job_film_ways", horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div class="job-film-ways"><a class="job-line" href="{escape_html(href)}" download>'
            f'<span class="ms" aria-hidden="true">download</span>{DOWNLOAD_FILM}</a>'
            f'<button type="button" class="job-line" data-present="{escape_attribute(told)}">'
            f'<span class="ms" aria-hidden="true">slideshow</span>{PRESENT_FILM}</button></div>',
            width="content",
        )
        if all(map(may_share, parts)):
            st.button(
                SHARE_FILM,
                key="job.share-film",
                type="tertiary",
                icon=":material/ios_share:",
                on_click=share_dialog,
                args=([part.id for part in parts],),
            )
    if not found.copied:
        st.html(f'<p class="job-fine">{ENCODED}</p>')
