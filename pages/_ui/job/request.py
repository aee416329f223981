"""What few people need, folded: the request as it went out, every answer as it was recorded, and the ids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import streamlit as st

from kling.studio.clip_verification import charged
from kling.studio.jobs import Job
from pages._ui.charges import charge_words
from pages._ui.current_user import sees_prices
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import is_sandbox, price, state, zone
from pages._ui.job.records import records
from pages._ui.panels import panel
from pages._ui.requests import facts_of, is_found, shown_request, texts_of, without_query
from pages._ui.words import field

OPEN = "job.details"  # session key: whether it is unfolded
MOST_RECORDS = 100
MONEY = frozenset(
    {"units", "unit_price", "currency", "final_unit_deduction", "final_balance_deduction", "extra"}
)


def request_and_answers(job: Job) -> None:
    """Draw the fold, and what is in it if it is open."""
    with st.container(key="job_details"):
        panel("Request, answers and ids", lambda: _inside(job), key=OPEN, icon="data_object")


def _inside(job: Job) -> None:
    _facts("Ids", dict(_ids(job)))
    if not is_found(job):
        for name, text in texts_of(shown_request(job)).items():
            if text:
                st.caption(escape_markdown(name))
                st.code(text, language=None, wrap_lines=True)
        _facts("Request", dict(_request(job)))
        st.caption("Sent to Kling")
        st.code(_sent(job), language=None, wrap_lines=True)
    found = records(job)
    st.caption("Recorded, the last one first")
    if not found:
        st.caption("The log cannot be read now.")
    told = [_told(record) for record in list(found)[::-1][:MOST_RECORDS]]
    st.code(json.dumps(told, ensure_ascii=False, indent=1), language=None, wrap_lines=True)


def _told(record: Mapping[str, str]) -> dict[str, str]:
    """Return a record without what the user may not see, and what may be a secret."""
    hidden = frozenset() if sees_prices() else MONEY
    told = {name: cell for name, cell in record.items() if name not in hidden}
    if "message" in told:
        # As everywhere, only proof speaks of money.
        told["message"] = Job({"message": told["message"]}).message
    if "callback_url" in told:
        told["callback_url"] = without_query(told["callback_url"])
    return told


def _sent(job: Job) -> str:
    """Return the body of the call, without what may be a secret in the callback's address."""
    body = shown_request(job).to_wire()
    if address := str(body.get("callback_url") or ""):
        body["callback_url"] = without_query(address)
    return json.dumps(body, ensure_ascii=False, indent=1)


def _facts(title: str, facts: dict[str, str]) -> None:
    st.caption(f"**{title}**")
    rows = (
        f'<dt>{escape_html(name)}</dt><dd dir="auto">{escape_html(fact)}</dd>'
        for name, fact in facts.items()
        if fact
    )
    st.html(f'<dl class="studio-facts">{"".join(rows)}</dl>')


def _request(job: Job) -> Iterator[tuple[str, str]]:
    yield from facts_of(shown_request(job))
    yield field("take"), str(job.take) if job.take > 1 else ""


def _ids(job: Job) -> Iterator[tuple[str, str]]:
    yield field("person"), job["person"]
    yield field("account"), job["account"]
    yield field("external_task_id"), job.id
    for column in ("task_id", "video_id", "request_id", "code"):
        yield field(column), "" if job[column] == "0" else job[column]
    yield field("message"), "" if job.message == "Accepted." else job.message
    yield field("task_status_msg"), job["task_status_msg"]
    units, charge = job.decimal("units"), charged(job)
    if not sees_prices():
        pass
    elif is_sandbox(job):
        yield "Price at Kling", "" if units is None else price(units, job)
    else:
        yield "Price by the table", "unknown" if units is None else price(units, job)
        yield "Price charged", charge_words(job, charge) if charge and charge.is_known else ""
    for name, when in job.since.items():
        yield state(Job({"state": name}))[0], when.astimezone(zone()).strftime("%d %b %Y, %H:%M:%S")
    length = job.decimal("file_bytes")
    yield "File", f"{job['file']}, {int(length):,} bytes" if length is not None else ""
    yield "SHA-256 of the file", job["file_sha256"]
