"""What pages say of a job that lasts: why, since when, what comes next, who acts; money as far as proved."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from kling import ApiKey, Task
from kling.errors import Actor
from kling.studio.account_scan import Findings
from kling.studio.job_explanation import Explanation
from kling.studio.jobs import TERMINAL, Job, request_cells
from kling.studio.ledger import LedgerError, LedgerUncertain
from kling.studio.reconciler import DECIDE
from kling.studio.service import Studio
from kling.studio.settings import Settings
from kling.video_to_audio import VideoToAudio
from pages._ui import account_comparison, context, job_actions
from pages._ui import format as page_format
from pages._ui.frame import banners
from tests.pages.conftest import (
    DEAD,
    ROOT,
    DeadConnection,
    press_generate,
    rows_of,
    stage_of,
    texts,
    tiles_of,
)
from tests.pages.test_lists import links, open_job, open_page
from tests.pages.test_lists import said as said_raw
from tests.pages.test_pages import PAGES, STATES, fill

OF_OLD = "Kling refused it. Nothing was spent."  # what older versions wrote into the log
LONG_AGO = datetime.now(UTC) - timedelta(hours=3)


def shown(app: AppTest, *ids: str) -> str:
    """Return what the cards of these jobs say on Compose."""
    if len(ids) > 1 and not app.session_state.composer.is_open:
        app.run()  # which sorts by time what was ordered before
    app.session_state.composer.jobs = list(ids)
    app.run()
    assert not app.exception
    assert "could not be drawn" not in texts(app)
    return said(app)


def said(app: AppTest) -> str:
    """Return what a page says, as a person reads it."""
    return said_raw(app).replace("\\", "").replace("\u2060", "")


def labels(app: AppTest) -> list[str]:
    return [str(button.label) for button in app.button]


def explained(monkeypatch: pytest.MonkeyPatch, *, actor: Actor, since: datetime | None = None) -> None:
    explanation = Explanation("It is as it is.", "It is tried at 13:00:00 UTC.", actor, since or LONG_AGO)
    monkeypatch.setattr(Studio, "explain", lambda _self, _job: explanation)


# -- money ---------------------------------------------------------------------------------------------------


def test_what_was_read_from_the_log_alone_is_never_called_free(studio: Studio, tab: AppTest):
    fill(studio, len(STATES), message=OF_OLD, code="1301")
    ids = [f"job{number:04d}" for number in range(len(STATES))]
    words = [shown(tab, job_id) for job_id in ids]
    words += [said(open_job(tab, job_id)) for job_id in ids]
    for text in words:
        assert "othing was spent" not in text
        assert "nothing needs to be done" not in text.lower()
        assert "not charged" not in text


@pytest.mark.parametrize("state", ["failed", "not_sent", "withdrawn"])
def test_what_is_proved_to_have_cost_nothing_is_said_to_on_cards_and_in_the_details(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch, state: str
):
    fill(studio, 1, state=state, message="Kling refused it.", file="")
    monkeypatch.setattr(studio, "nothing_spent", lambda job: job.id == "job0000")
    assert "Nothing was spent." in shown(tab, "job0000")
    assert "Nothing was spent." in said(open_job(tab, "job0000"))


def test_a_job_that_waits_is_called_not_sent_yet(studio: Studio, tab: AppTest):
    fill(studio, 1)
    text = shown(tab, "job0000")
    assert "Not sent yet." in text
    assert "spent" not in text


# -- why, since when, what next, and who acts ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "who"),
    [
        (Actor.NOBODY, "goes on by itself"),
        (Actor.PERSON, "for you to decide"),
        (Actor.OPERATOR, "for whoever runs the studio"),
        (Actor.KLING, "for Kling"),
    ],
)
def test_a_state_that_lasts_says_why_since_when_what_next_and_who_acts(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch, actor: Actor, who: str
):
    explained(monkeypatch, actor=actor)
    fill(studio, len(STATES))
    ids = [job.id for job in studio.ledger.jobs() if job.state not in TERMINAL]
    cards = [shown(tab, job_id) for job_id in ids]
    assert len(ids) == 6
    for text in [*cards, *(said(open_job(tab, job_id)) for job_id in ids)]:
        assert "It is as it is. It is tried at 13:00:00 UTC." in text
        assert f"Since {page_format.since(LONG_AGO)}" in text
        assert who in text


def test_a_task_that_is_made_as_usual_is_not_explained_at_once(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    fill(studio, 1, state="processing", file="")
    explained(monkeypatch, actor=Actor.NOBODY, since=datetime.now(UTC))
    assert "It is as it is" not in shown(tab, "job0000")


def test_what_is_left_to_a_person_is_said_once(studio: Studio, tab: AppTest):
    fill(studio, 1, state="not_sent", message="It never arrived. Send it now, or withdraw it.", file="")
    assert shown(tab, "job0000").count("Send it now, or cancel it.") == 1


def test_after_a_lost_answer_too_it_is_said_once_and_after_what_is_proved(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("kling.studio.job_explanation.refuses_duplicates", lambda _: False)
    monkeypatch.setattr(studio, "nothing_spent", lambda _: True)
    fill(studio, 1, state="unknown", units="1.5", file="")
    studio.ledger.append("job0000", state="not_sent", message=f"It never arrived. {DECIDE}")
    words = f"It never arrived. Nothing was spent. {DECIDE} Sending it costs 1.5 Units"
    assert words in shown(tab, "job0000")


def test_with_a_wrong_key_it_is_said_once_what_can_be_done(studio: Studio, tab: AppTest):
    fill(studio, 1, state="not_sent", code="1002", message=f"Kling does not know the key. {DECIDE}", file="")
    text = shown(tab, "job0000")
    assert "Kling does not know the key. Send it once the key is right, or cancel it." in text
    assert DECIDE not in text


def test_times_of_the_studio_are_shown_in_the_viewers_zone(monkeypatch: pytest.MonkeyPatch):
    assert page_format.in_local_time("asked at 13:00:00 UTC, not 25:00:00 UTC") == (
        "asked at 13:00:00 UTC, not 25:00:00 UTC"
    )
    monkeypatch.setattr(page_format, "zone", lambda: ZoneInfo("Asia/Kolkata"))
    assert page_format.in_local_time("asked at 23:59:30 UTC. Then") == "asked at 05:29:30. Then"


# -- giving up -----------------------------------------------------------------------------------------------


def test_a_job_that_is_looked_up_for_long_may_be_given_up_after_a_word_about_the_risk(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    fill(studio, 1, state="unknown", file="")
    shown(tab, "job0000")
    assert "Give it up" not in labels(tab)  # it has only begun
    monkeypatch.setattr(job_actions, "GIVE_UP_AFTER", timedelta(0))
    shown(tab, "job0000")
    tab.button(key="composer.give-up-job0000").click().run()
    assert "If Kling has it all the same, it is charged" in texts(tab)
    tab.button(key="composer.no-give-up-job0000").click().run()
    assert studio.ledger.jobs()[0].state == "unknown"
    tab.button(key="composer.give-up-job0000").click().run()
    tab.button(key="composer.yes-give-up-job0000").click().run()
    assert studio.ledger.jobs()[0].state == "withdrawn"
    text = shown(tab, "job0000")
    assert "Given up." in text
    assert "othing was spent" not in text


def test_one_that_somebody_has_to_act_on_may_be_given_up_at_once(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    fill(studio, 1, state="unknown", file="")
    explained(monkeypatch, actor=Actor.OPERATOR, since=datetime.now(UTC))
    shown(tab, "job0000")
    assert "Give it up" in labels(tab)


# -- what concerns more than one job -------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_what_concerns_several_jobs_stands_on_every_page(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch, page: str
):
    fill(studio, 1, state="submitted", task_id="1", account="kling.example#old")
    studio.ledger.append("stuck", state="unknown", account="sandbox", prompt="A fox")
    studio.accounts.step(studio.connection.client, 0.0)
    stuck = studio.ledger.get("stuck")
    assert stuck is not None
    look_up = studio.reconciler.look_up_of(stuck)
    look_up.silent, look_up.trouble = 5, "The base URL answers with a web page."
    monkeypatch.setattr(studio.poller, "trouble", "history.csv cannot be written: no space is left.")
    studio.admission.hold("*", "The lock of the data folder was deleted. Restart the studio.", -1)
    text = said(tab.switch_page(page).run())
    assert "1 paid video of the account kling.example#old cannot be followed" in text
    assert (
        "1 job is being looked up, and Kling does not answer. The base URL answers with a web page." in text
    )
    assert "history.csv cannot be written" in text
    assert "The lock of the data folder was deleted" in text


@pytest.mark.parametrize("page", PAGES)
def test_jobs_that_were_left_are_sent_together_after_number_and_price(
    studio: Studio, tab: AppTest, page: str
):
    fill(studio, 3, state="not_sent", message="It never arrived.", file="")
    tab.switch_page(page).run()
    assert "3 jobs were not sent" in texts(tab)
    tab.button(key="app.send_left").click().run()
    assert "<b>Send 3 jobs?</b> This generates them, for free." in texts(tab)
    assert [job.state for job in studio.ledger.jobs()] == ["not_sent"] * 3
    next(button for button in tab.button if button.label == "Yes, send all 3").click().run()
    assert all(job.state != "not_sent" for job in studio.ledger.jobs())
    assert "were not sent" not in texts(tab)


def test_jobs_that_were_left_are_withdrawn_together(studio: Studio, tab: AppTest):
    fill(studio, 3, state="not_sent", file="")
    tab.run()
    tab.button(key="app.withdraw_left").click().run()
    assert [job.state for job in studio.ledger.jobs()] == ["not_sent"] * 3
    assert "of everybody" in texts(tab)
    tab.button(key="app.yes-withdraw-3").click().run()
    assert [job.state for job in studio.ledger.jobs()] == ["withdrawn"] * 3


def test_one_job_that_was_left_is_told_where_its_card_is_not(studio: Studio, tab: AppTest):
    fill(studio, 1, state="not_sent", file="")
    [job] = studio.ledger.jobs()
    tab.run()
    told = "1 job was not sent"
    assert told in texts(tab)
    tab.session_state.composer.jobs = [job.id]
    tab.run()
    assert told not in texts(tab)


def test_what_was_given_up_does_not_look_like_what_never_left(studio: Studio, tab: AppTest):
    fill(studio, 1, state="unknown", file="")
    [job] = studio.ledger.jobs()
    studio.orders.give_up(job.id)
    tab.session_state.composer.jobs = [job.id]
    assert "Given up" in texts(tab.run())


def test_with_a_key_the_price_of_what_was_left_is_said(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(studio.connection, "is_sandbox", False)
    fill(studio, 2, state="not_sent", file="")
    jobs = list(studio.ledger.jobs())
    assert banners.price_of(jobs) == (2, "$0.42 (3 Units)")
    jobs.append(Job({"external_task_id": "x", "state": "not_sent"}))
    assert "1 of them at a price that is not known" in banners.price_of(jobs)[1]


def test_one_job_that_was_left_is_told_on_its_card_alone(studio: Studio, tab: AppTest):
    fill(studio, 1, state="not_sent", file="")
    shown(tab, "job0000")
    assert "Send all" not in labels(tab)
    assert "Send now" in labels(tab)


def test_where_kling_may_make_it_twice_the_button_that_sends_it_again_says_the_price(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(job_actions, "is_sandbox", lambda _job: False)
    cells = request_cells(VideoToAudio(video_id="9"))
    for job_id, request in (("sound", cells), ("words", {})):
        fill_one = {"account": "sandbox", "person": "Ada", "unit_price": "0.14", "currency": "USD", **request}
        studio.ledger.append(job_id, state="unknown", **fill_one)
        studio.ledger.append(job_id, state="not_sent")
    shown(tab, "sound")
    assert "Send it again · $0.04" in labels(tab)
    shown(tab, "words")
    assert "Send now" in labels(tab)


# -- what was found without its order ------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [{}, {"found": "file"}, {"found": "account"}])
def test_a_job_with_hardly_any_cells_is_drawn_everywhere(studio: Studio, tab: AppTest, cells: dict[str, str]):
    extra = f'{{"found":"{cells["found"]}"}}' if cells else ""
    words = "Found, without its order" if cells else "(no prompt)"
    jobs = {f"found-{state}": state for state in ("", *STATES)}
    for job_id, state in jobs.items():
        studio.ledger.append(job_id, state=state, file="a.mp4" if state == "succeed" else "", extra=extra)
        assert words in shown(tab, job_id)
        assert stage_of(tab)["chosen"] == job_id
    for job_id, state in jobs.items():
        open_job(tab, job_id)
        ways = {"Remix", "Edit and try again"}
        assert bool(ways & set(links(tab))) is not bool(cells), state
        assert not any(label.startswith("Order again") for label in labels(tab)) or not cells, state
    open_page(tab, "history.py")
    assert [row["words"] for row in rows_of(tab)] == [words] * len(jobs)
    open_page(tab, "gallery.py")
    assert [tile["prompt"] for tile in tiles_of(tab)] == [words]


def test_a_found_job_whose_order_came_back_shows_it(studio: Studio, tab: AppTest):
    fill(studio, 1, state="succeed", extra='{"found":"account"}')
    assert "Prompt 0" in shown(tab, "job0000")
    assert "Found, without" not in texts(tab)


# -- clips at risk -------------------------------------------------------------------------------------------


def test_while_a_clip_is_not_here_its_link_the_reason_and_the_days_left_are_shown(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    fill(studio, 1, state="succeed", task_id="1", file="")
    address = "https://files.example/x?sign=a&b=%22c"
    monkeypatch.setattr(studio.downloads, "link", lambda _id: address)
    monkeypatch.setattr(studio.downloads, "trouble", lambda _id: "The host is not known.")
    open_page(tab, "history.py")
    assert [row["line"] for row in rows_of(tab)] == ["Not saved yet, 29 days left"]
    text = shown(tab.switch_page("compose.py").run(), "job0000")
    assert "The host is not known." in text
    assert "Not saved yet, 29 days left" in text
    link = '<a href="https://files.example/x?sign=a&amp;b=%22c" target="_blank" rel="noopener noreferrer"'
    assert link in text
    assert ">Open the video in the sandbox</a>" in text


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//files.example/x",
        "https://",
        'https://a/"><script>',
        "https://a\\@b/",
        "https://[a/",
    ],
)
def test_a_link_that_is_no_web_address_is_not_shown(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch, address: str
):
    fill(studio, 1, state="succeed", task_id="1", file="")
    monkeypatch.setattr(studio.downloads, "link", lambda _id: address)
    assert "<a href" not in shown(tab, "job0000")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ('{"check":"unchecked","check_reason":"An unknown codec."}', "could not be checked on this machine"),
        ('{"check":"broken","check_reason":"Zeros."}', "broken; fetched again while Kling has it"),
        ('{"check":"broken","again":3}', ":red-badge[:material/broken_image: broken]"),
        ('{"check":"ok"}', ""),
    ],
)
def test_a_clip_that_is_broken_or_could_not_be_checked_says_so(
    studio: Studio, tab: AppTest, extra: str, words: str
):
    fill(studio, 1, state="succeed", task_id="1", file="job0000.mp4", extra=extra)
    assert words in shown(tab, "job0000")
    assert words in said(open_job(tab, "job0000"))
    (tile,) = tiles_of(open_page(tab, "gallery.py"))
    assert tile.get("note", "") == re.sub(r":red-badge\[.*: (.*)\]", r"\1", words)


# -- charges -------------------------------------------------------------------------------------------------


PRICED = {"unit_price": "0.14", "currency": "USD"}


@pytest.mark.parametrize(
    ("cells", "cost", "words"),
    [
        ({"state": "failed", "final_unit_deduction": "0"}, "$0.00", "Charged $0.00 (0 Units)."),
        ({"state": "failed"}, "", ""),
        (
            {"state": "succeed", "final_unit_deduction": "1.50"},
            "$0.21",
            "Charged $0.21 (1.5 Units), as expected.",
        ),
        (
            {"state": "succeed", "final_unit_deduction": "3", "unit_price": "0.98", "currency": "CNY"},
            "¥2.94",
            "Charged ¥2.94 (3 Units); ¥1.47 (1.5 Units) were expected.",
        ),
        (
            {
                "state": "succeed",
                "final_unit_deduction": "0",
                "final_balance_deduction": "0.2",
                "unit_price": "0.14",
                "currency": "USD",
                "extra": '{"list_price":"0.21"}',
            },
            "$0.20",
            "Charged $0.20 from the balance, list price $0.21.",
        ),
        (
            {
                "state": "succeed",
                **PRICED,
                "final_unit_deduction": "0.75",
                "final_balance_deduction": "0.105",
            },
            "$0.21",
            "Charged $0.11 (0.75 Units) and $0.10 from the balance, as expected.",
        ),
        (
            {
                "state": "succeed",
                **PRICED,
                "final_balance_deduction": "1.5",
                "extra": '{"cash_currency":"CNY"}',
            },
            "¥1.50",
            "Charged ¥1.50 from the balance. The sums are in USD and count the price by the table.",
        ),
        (
            {"state": "failed", "final_balance_deduction": "0", "unit_price": "0.1", "currency": "EUR"},
            "",
            "Charged 0.00 EUR from the balance.",
        ),
    ],
)
def test_what_kling_charged_is_said_also_if_it_is_nothing(
    studio: Studio, tab: AppTest, cells: dict[str, str], cost: str, words: str
):
    fill(studio, 1, **{"task_id": "1", "account": "kling#1", "file": "", **cells})
    text = shown(tab, "job0000")
    assert words in text
    assert words or "Charged" not in text
    open_page(tab, "history.py")
    assert [row.get("cost", "") for row in rows_of(tab)] == [cost]


def test_the_sandbox_charges_nothing_and_says_so_once(studio: Studio, tab: AppTest):
    fill(studio, 1, state="succeed", task_id="1", final_unit_deduction="1.5", batch="b1")
    text = shown(tab, "job0000")
    assert "harged" not in text
    open_page(tab, "history.py")
    assert [row["cost"] for row in rows_of(tab)] == ["free"]
    for text in (said(open_job(tab, "job0000")), said(open_page(tab, "history.py", batch="b1"))):
        assert "harged" not in text
        assert "$0.21 (1.5 Units)" in text
        assert text.count("free previews") == 1


def test_a_batch_sums_units_and_cash_and_zero_is_a_number(studio: Studio, tab: AppTest):
    cells = {"account": "kling#1", "batch": "b1", "unit_price": "0.1", "currency": "EUR"}
    fill(studio, 2, state="succeed", **cells)
    assert "charged so far" not in said(open_page(tab, "history.py", batch="b1"))
    studio.ledger.append("job0000", final_unit_deduction="0", final_balance_deduction="0.3")
    text = said(open_page(tab, "history.py", batch="b1"))
    assert "0.30 EUR (3 Units) by the price table, 0.30 EUR from the balance charged so far." in text
    studio.ledger.append("job0001", final_balance_deduction="1.5", extra='{"cash_currency":"CNY"}')
    text = said(open_page(tab, "history.py", batch="b1"))
    assert "0.30 EUR from the balance and ¥1.50 from the balance charged so far." in text


def test_the_operators_price_is_on_the_button_and_of_past_jobs_their_own(studio: Studio):
    studio.settings = replace(studio.settings, unit_price=Decimal("0.98"), currency="CNY")
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    assert [label for label in labels(app) if "¥1.47" in label], labels(app)
    fill(studio, 1, state="succeed", account="kling#1", unit_price="0.126", currency="USD")
    text = said(open_job(app, "job0000"))
    assert "Price by the table: $0.19 (1.5 Units)" in text


# -- one way to order ----------------------------------------------------------------------------------------


def made_on_disk(studio: Studio, app: AppTest) -> tuple[str, ...]:
    draft = studio.state.drafts.load(app.session_state.composer.draft_id)
    assert draft is not None
    return draft.made


def failed(studio: Studio) -> str:
    fill(studio, 1, state="submitted", task_id="1")
    studio.ledger.append("job0000", state="failed", task_id="1", task_status_msg="The model fell over")
    return "job0000"


def test_what_is_ordered_again_is_still_under_this_session_after_a_refresh(studio: Studio, tab: AppTest):
    shown(tab, failed(studio))
    tab.button(key="composer.again-job0000").click().run()
    again = studio.ledger.jobs()[-1].id
    assert again in made_on_disk(studio, tab)


def test_what_is_ordered_again_in_history_is_under_this_session_too(studio: Studio):
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    failed(studio)
    app.query_params["id"] = "job0000"
    app.switch_page("job.py").run()  # the first page of this session: there is no draft yet
    app.button(key="job.again-job0000").click().run()
    again = studio.ledger.jobs()[-1].id
    assert again != "job0000"
    app.query_params.clear()
    app.switch_page("compose.py").run()
    assert again in app.session_state.composer.jobs
    assert again in made_on_disk(studio, app)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LedgerUncertain("The disk is failing."), "The order may be in the log or not"),
        (LedgerError("No space left."), "Nothing was sent and nothing was spent"),
    ],
)
def test_an_order_that_was_not_recorded_or_may_not_have_been_says_so_and_the_prompt_stays(
    studio: Studio, app: AppTest, monkeypatch: pytest.MonkeyPatch, error: LedgerError, words: str
):
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(studio.ledger, "append_many", refuse)
    app.text_area(key="composer.prompt").set_value("A fox")
    press_generate(app)
    assert words in texts(app)
    assert str(error) in said(app)
    assert ("nothing was spent" in texts(app).lower()) is not isinstance(error, LedgerUncertain)
    assert app.text_area(key="composer.prompt").value == "A fox"
    assert app.session_state.composer.jobs == []


def test_a_retired_model_is_refused_with_the_living_one_before_it_is_sent(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, credentials=ApiKey("key"), base_url=DEAD)
    here = Studio(settings, connection=DeadConnection(is_sandbox=False))
    context.install(here)
    try:
        app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
        app.session_state["composer.open_more"] = True
        app.run()
        app.toggle(key="composer.retired").set_value(True).run()
        app.selectbox(key="composer.model").set_value("kling-v1").run()
        assert "Use Kling 2.6 instead." in said(app)
        app.text_area(key="composer.prompt").set_value("A fox")
        press_generate(app)
        assert "use Kling 2.6 (kling-v2-6)" in said(app)
        assert here.ledger.jobs() == ()
        app.selectbox(key="composer.model").set_value("other").run()
        app.text_input(key="composer.other_model").set_value("kling-v3-omni").run()
        assert "kling-v3-omni" in said(app)
        press_generate(app)
        assert here.ledger.jobs() == ()
    finally:
        context.install(None)
        here.stop()


# -- comparing with Kling ------------------------------------------------------------------------------------


def compared(studio: Studio, app: AppTest, **found: Any) -> str:
    studio.scan.findings = Findings(
        **{"pages": 2, "tasks": 700, "at": LONG_AGO, "is_complete": True, **found}
    )
    app.session_state["spend.open_comparison"] = True
    return said(open_page(app, "spend.py"))


def test_the_comparison_is_made_on_demand_and_says_when_it_was_done_last(studio: Studio, tab: AppTest):
    open_page(tab, "spend.py")
    assert not any(button.key == "spend.compare_now" for button in tab.button)  # it is closed
    tab.session_state["spend.open_comparison"] = True
    tab.run()
    assert "Not done yet" in texts(tab)
    asked: list[bool] = []
    studio.scan.request = lambda: asked.append(True)  # type: ignore[method-assign]
    tab.button(key="spend.compare_now").click().run()
    assert asked == [True]
    text = compared(studio, tab)
    assert f"Done last on {page_format.moment(LONG_AGO)}: 700 tasks on 2 pages." in text
    assert "Nothing is missing" in text


def test_its_progress_and_a_page_that_was_not_answered_are_said(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(type(studio.scan), "is_running", property(lambda _self: True))
    text = compared(studio, tab, is_complete=False)
    assert "So far: 700 tasks on 2 pages." in text
    assert tab.button(key="spend.compare_now").disabled
    text = compared(studio, tab, is_complete=False, trouble="Kling is not available right now.")
    assert "list cannot be read" in text
    assert "Kling is not available right now." in text
    assert "Nothing is missing" not in text
    assert not tab.button(key="spend.compare_now").disabled


def test_what_was_done_by_itself_is_named_with_its_links(studio: Studio, tab: AppTest):
    fill(studio, 12, state="succeed")
    ids = tuple(f"job{number:04d}" for number in range(11))
    text = compared(studio, tab, taken_in=ids, files=("job0011",), of_others=3)
    assert "**11 tasks** were taken in by themselves" in text
    assert "And 1 more" in text
    assert "**1 clip** lay among the clips without an order" in text
    assert "**3 tasks belong** to other studios" in text
    assert any(label.startswith("Prompt 11") for label in links(tab))


def test_tasks_that_may_be_ours_are_taken_in_by_a_press(studio: Studio, tab: AppTest):
    tasks = tuple(task(number, our_id=f"v{number:024x}") for number in range(2))
    text = compared(studio, tab, maybe_ours=tasks)
    assert "**2** tasks may be this studio's" in text
    tab.button(key="spend.take_in_ours").click().run()
    assert len(studio.ledger.jobs()) == 2
    assert "may be this studio's" not in texts(tab)
    open_page(tab, "history.py")
    assert "Found, without its order" in [row["words"] for row in rows_of(tab)]


def test_other_tasks_of_the_account_are_taken_in_one_by_one(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    tasks = tuple(task(number, our_id="") for number in range(3))
    text = compared(studio, tab, foreign=tasks, foreign_count=3)
    assert "**3** other tasks are in the account" in text
    tab.button(key="spend.take_in_foreign").click().run()
    assert studio.ledger.jobs() == ()  # nothing was ticked
    monkeypatch.setattr(account_comparison, "choose_from", lambda _tasks, _name: [tasks[1].task_id])
    tab.run()
    assert tab.button(key="spend.take_in_foreign").label == "Take in the 1 chosen task"
    tab.button(key="spend.take_in_foreign").click().run()
    (job,) = studio.ledger.jobs()
    assert job["task_id"] == tasks[1].task_id
    assert not job["person"]


def task(number: int, *, our_id: str) -> Any:
    return Task(
        task_id=f"8{number:017d}",
        task_status="processing",
        external_task_id=our_id,
        created_at=LONG_AGO,
        raw={},
    )


# -- a job of an endpoint that this version does not know ----------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_a_job_of_an_unknown_endpoint_is_shown_with_its_cells_and_without_buttons(
    studio: Studio, tab: AppTest, state: str
):
    fill(studio, 1, state=state, endpoint="motion-control", file="", message=OF_OLD, code="1301")
    for text in (shown(tab, "job0000"), said(open_job(tab, "job0000"))):
        assert "Prompt 0" in text
        is_told = "does not know the endpoint “motion-control”" in text
        assert is_told == (state not in TERMINAL - {"succeed"})
        assert "othing was spent" not in text
        assert not {"Send now", "Cancel (nothing spent)", "Give it up"} & set(labels(tab))
        assert not any(label.startswith("Order again") for label in labels(tab))
        assert not {"Remix", "Edit and try again"} & set(links(tab))


@pytest.mark.parametrize("page", PAGES)
def test_a_job_of_an_unknown_endpoint_does_not_count_as_running_above_a_page(
    studio: Studio, tab: AppTest, page: str
):
    for state in ("waiting", "intent", "submitted", "succeed"):
        cells = {"endpoint": "motion-control", "account": "sandbox", "prompt": "A fox", "batch": "g"}
        studio.ledger.append(f"new-{state}", state=state, **cells)
    open_page(tab, page, batch="g")
    counts = [str(each.value) for each in tab.html if "data-counts" in str(each.value)]
    assert counts
    assert not any("being made" in count or "waiting" in count for count in counts)
    assert "Cancel what is not sent (nothing spent)" not in labels(tab)


def test_an_address_that_names_a_job_without_a_form_opens_an_empty_one(studio: Studio, tab: AppTest):
    fill(studio, 1, endpoint="motion-control")
    open_page(tab, "compose.py", **{"from": "job0000"})
    assert tab.text_area(key="composer.prompt").value == ""
    assert tab.session_state.composer.is_open
