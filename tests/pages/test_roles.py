"""What each role sees and may press on a page, also when the role or the session ends in the middle."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kling.studio.budget_limits import Scope
from kling.studio.identity.roles import Role
from kling.studio.service import Studio
from pages._ui.current_user import ASKED_COOKIE
from pages._ui.live import fragment
from pages._ui.routes.drafts import routes
from tests.pages.conftest import ROOT, new_tab, press_generate, texts
from tests.pages.people import everything, forget_cookies, open_app, person_of, sign_in, uses_of
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill

PRICE = re.compile(r"\$ ?\d|\bUnits?\b|\bUSD\b|[Pp]rice|charged|Charged")
PLACES = {
    "the list": ("history.py", {}),
    "a task that was charged": ("job.py", {"id": "job0004"}),
    "a task that failed": ("job.py", {"id": "job0005"}),
    "a task that was not sent": ("job.py", {"id": "job0007"}),
    "a batch": ("history.py", {"batch": "b1"}),
    "the gallery": ("gallery.py", {}),
    "a batch in the gallery": ("gallery.py", {"batch": "b1"}),
}


def past(studio: Studio, **cells: str) -> None:
    """Fill the log with jobs of every state, in a batch, with what Kling charged otherwise than expected."""
    fill(studio, 9, account="kling#1", batch="b1", units="1.5", unit_price="0.14", currency="USD", **cells)
    studio.ledger.append("job0004", final_unit_deduction="3")


@pytest.mark.parametrize("place", PLACES)
def test_a_viewer_sees_no_price_and_no_button_that_orders(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, place: str
):
    past(studio)
    sign_in(monkeypatch, studio, "Vera", "viewer")
    page, params = PLACES[place]
    app = open_page(new_tab(), page, **params)
    found = PRICE.search(everything(app))
    assert found is None, everything(app)[max(found.start() - 80, 0) : found.end() + 40]
    labels = " ".join(button.label for button in app.button)
    assert not re.search("Withdraw|Cancel|Send|Order|Give it up|Resume|Check the connection|Generate", labels)
    assert "compose" not in "".join(str(link.proto.page) for link in app.get("page_link"))


@pytest.mark.parametrize("place", ["the list", "a task that was charged", "a batch"])
def test_a_maker_sees_prices(studio: Studio, monkeypatch: pytest.MonkeyPatch, place: str):
    past(studio)
    sign_in(monkeypatch, studio, "Mia", "maker")
    page, params = PLACES[place]
    assert PRICE.search(everything(open_page(new_tab(), page, **params)))


def test_a_maker_decides_about_own_jobs_only_and_an_admin_about_all(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    mia, bob = person_of(studio, "Mia", "maker"), person_of(studio, "Bob", "maker")
    for job_id, person in (("mine", mia), ("his", bob)):
        fill(studio, 1, account="sandbox")
        studio.ledger.append(
            job_id,
            state="waiting",
            account="sandbox",
            person=person.name,
            person_id=person.id,
            model_name="m",
        )

    def may_withdraw(job_id: str) -> bool:
        app = open_page(new_tab(), "job.py", id=job_id)
        return any(button.key == f"job.withdraw-{job_id}" for button in app.button)

    sign_in(monkeypatch, studio, "Mia", "maker")
    assert (may_withdraw("mine"), may_withdraw("his")) == (True, False)
    sign_in(monkeypatch, studio, "Ada", "admin")
    assert (may_withdraw("mine"), may_withdraw("his")) == (True, True)


def test_with_sign_in_there_is_no_name_field_and_the_name_with_its_role_stands_there(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    sign_in(monkeypatch, studio, "Mia *M*", "maker")
    app = open_app()
    assert [field.key for field in app.text_input if field.key == "app.name"] == []
    said = "\n".join(str(each.value) for each in app.markdown)
    assert "Mia \\*M\\*" in said
    assert "Maker" in said
    forms = next(str(each.value) for each in app.html if 'action="/sign-out"' in str(each.value))
    assert forms.count('method="post"') == 2
    assert 'action="/sign-out/everywhere"' in forms


def test_an_order_carries_the_person_who_is_signed_in(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    mia = sign_in(monkeypatch, studio, "Mia", "maker")
    app = open_app()
    app.text_area(key="composer.prompt").set_value("A fox")
    press_generate(app)
    (job,) = studio.ledger.jobs()
    assert (job["person"], job["person_id"]) == ("Mia", mia.id)
    assert not asked(app)


# -- in the middle -----------------------------------------------------------------------------------------


def test_a_role_that_is_taken_away_counts_at_the_next_press_and_is_said(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    mia = sign_in(monkeypatch, studio, "Mia", "maker")
    app = open_app()
    app.text_area(key="composer.prompt").set_value("A fox").run()
    studio.state.people.set_role(mia.id, "viewer")
    press_generate(app)
    assert studio.ledger.jobs() == ()
    assert any("takes the role maker" in str(toast.value) for toast in app.toast)
    assert [title.value for title in app.title] == ["History"]


def test_a_button_of_before_is_refused_in_words(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    ada = sign_in(monkeypatch, studio, "Ada", "admin")
    person_of(studio, "Bob", "admin")
    app = open_app()
    studio.state.people.set_role(ada.id, "maker")
    app.button(key="app.check_connection").click().run()
    assert any("takes the role admin" in str(toast.value) for toast in app.toast)
    assert not any(button.key == "app.check_connection" for button in app.button)


@pytest.mark.parametrize("page", ["compose.py", "history.py", "gallery.py", "admin.py"])
def test_a_session_that_has_ended_shows_nothing_and_leaves(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, page: str
):
    past(studio)
    ada = sign_in(monkeypatch, studio, "Ada", "admin")
    app = open_page(new_tab(), page)
    studio.state.sessions.end_all(ada.id)
    app.run()
    assert "Prompt 1" not in everything(app)
    assert not app.button
    assert not app.markdown
    assert "You are signed out" in texts(app)


def test_a_press_after_the_session_has_ended_orders_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    mia = sign_in(monkeypatch, studio, "Mia", "maker")
    app = open_app()
    app.text_area(key="composer.prompt").set_value("A fox")
    studio.state.sessions.end_all(mia.id)
    press_generate(app)
    assert studio.ledger.jobs() == ()


def test_who_has_no_role_sees_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    past(studio)
    person_of(studio, "Ada", "admin")
    studio.state.people.from_outside("proxy", "nora", "Nora")
    sign_in(monkeypatch, studio, "Nora", "none")
    app = open_app()
    assert "Prompt 1" not in everything(app)
    assert "You are signed out" in texts(app)


def test_what_a_browser_drafted_before_its_first_sign_in_is_the_persons(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    app = open_app()
    app.text_area(key="composer.prompt").set_value("A fox").run()
    draft, browser = app.session_state.composer.draft_id, app.session_state.app.browser
    mia = sign_in(monkeypatch, studio, "Mia", "maker")
    other = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    other.session_state["app"] = app.session_state.app
    other.query_params["draft"] = draft
    other.run()
    assert other.text_area(key="composer.prompt").value == "A fox"
    found = studio.state.drafts.load(draft)
    assert found is not None
    assert found.owner == mia.id != browser


# -- budgets -----------------------------------------------------------------------------------------------


def test_what_is_used_stands_at_the_button_and_the_refusal_keeps_the_form(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    sign_in(monkeypatch, studio, "Mia", "maker")
    assert "today" not in texts(open_app())
    studio.budgets.set(Scope.PERSON_DAY, Decimal("0.25"), "USD")
    app = open_app()
    assert "$0.00 of $0.25 today" in texts(app).replace("\\", "")
    app.text_area(key="composer.prompt").set_value("A fox")
    press_generate(app)
    assert "$0.21 of $0.25 today" in texts(app).replace("\\", "")
    assert "84 %" in texts(app)
    app.text_area(key="composer.prompt").set_value("A second fox")
    press_generate(app)
    said = texts(app).replace("\\", "")
    assert "Nothing was sent and nothing was spent" in said
    assert "$0.42 in all" in said
    assert "An admin of the studio can raise or remove the limit" in said
    assert app.text_area(key="composer.prompt").value == "A second fox"
    assert len(studio.ledger.jobs()) == 1


# -- names where nobody signs in ---------------------------------------------------------------------------


def asked(app: AppTest) -> bool:
    return any(field.label == "Whose order is it?" for field in app.text_input)


def order(app: AppTest, prompt: str) -> None:
    app.text_area(key="composer.prompt").set_value(prompt)
    press_generate(app)


def test_a_name_is_asked_for_once_at_the_first_order_and_put_on_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    forget_cookies(monkeypatch)
    app = open_app()
    assert not asked(app)
    order(app, "A fox")
    assert len(studio.ledger.jobs()) == 1  # the order did not wait
    assert asked(app)
    assert "The name shows in History and Spend" in texts(app)
    app.text_input(key="app.name_new").set_value("Grace Hopper")
    next(button for button in app.button if button.label == "Use this name").click().run()
    assert studio.ledger.jobs()[0]["person"] == "Grace Hopper"
    assert not asked(app)
    app.session_state["app.name"] = ""  # where the menu was open before, its field is sent as it was
    order(app, "A second fox")
    assert studio.ledger.jobs()[1]["person"] == "Grace Hopper"
    name = next(field for field in app.text_input if field.label == "Your name")
    assert name.value == "Grace Hopper"
    name.set_value("").run()
    order(app, "Another fox")
    assert not asked(app)


def test_a_browser_that_gave_no_answer_is_asked_again(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    forget_cookies(monkeypatch)
    app = open_app()
    order(app, "A fox")
    assert asked(app)
    assert app.session_state["app"].remembered[ASKED_COOKIE] == ""
    next(button for button in app.button if button.label == "Without a name").click().run()
    assert app.session_state["app"].remembered[ASKED_COOKIE] == "yes"
    assert len(studio.ledger.jobs()) == 1


def test_who_orders_again_without_an_answer_is_asked_at_the_next_visit(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    forget_cookies(monkeypatch)
    app = open_app()
    order(app, "A fox")
    assert asked(app)
    for prompt in ("A second fox", "A third fox"):
        order(app, prompt)
        assert not asked(app)
    assert app.session_state["app"].remembered[ASKED_COOKIE] == ""  # it is no answer
    again = open_app()
    order(again, "A fourth fox")
    assert asked(again)
    assert len(studio.ledger.jobs()) == 4


def test_known_names_are_offered_and_one_press_takes_one(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    forget_cookies(monkeypatch)
    fill(studio, 3, person="Anna Becker")
    app = open_app()
    order(app, "A fox")
    next(button for button in app.button if button.label == "Anna Becker").click().run()
    assert studio.ledger.jobs()[-1]["person"] == "Anna Becker"


def test_who_wants_no_name_is_not_asked_again(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    forget_cookies(monkeypatch)
    app = open_app()
    order(app, "A fox")
    next(button for button in app.button if button.label == "Without a name").click().run()
    order(app, "Another fox")
    assert not asked(app)
    assert [job["person"] for job in studio.ledger.jobs()] == ["", ""]


@pytest.mark.parametrize("typed", ["anna becker", "  Anna   Becker ", "ANNABECKER", "Änna Becker"])
def test_case_blanks_and_accents_do_not_make_another_person(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, typed: str
):
    forget_cookies(monkeypatch)
    fill(studio, 1, person="Anna Becker")
    app = open_app()
    app.text_input(key="app.name").set_value(typed).run()
    order(app, "A fox")
    assert studio.ledger.jobs()[-1]["person"] == "Anna Becker"


# -- no page goes past it ----------------------------------------------------------------------------------

# What pages and routes may take from each part of the studio; everything else of it may be a change.
READS: Mapping[str, set[str]] = {
    "orders": set(),
    "scan": {"findings", "is_running", "books", "charged"},
    "admission": {"holds", "position_of", "positions", "own_jobs"},
    "templates": {"all"},
    "drafts": set(),
    "previews": set(),
    "people": {"list", "get", "has_accounts"},
    "sessions": {"who", "all", "of", "session_id"},
    "invitations": {"open"},
    "names": {"unowned", "given"},
    "budgets": {"status", "limits", "warnings"},
    "collections": {"all", "get"},
    "shares": {"count"},  # of who opens a link and plays
    "audit": {"search", "actions"},
    "packs": {"age", "report", "warnings", "views"},
    "ledger": {"get", "index", "opening", "failure", "jobs", "records"},
    "poller": {"wake_for"},  # a callback is only a reason to look
    "reconciler": set(),
}
CHANGES = {"order", "order_all", "resume", "scan_account", "take_in", "check_connection"}  # of the studio
ASKING = {"acting()", "Actions", "user", "actions"}  # what the roles are asked through
# The gate and the ways in: they begin and end the sessions of whoever asks, and change nothing else.
WAYS_IN = re.compile(r"gate|invited|new_session|oidc\w*|open_sockets|proxy|sign_(in|out)\w*|who_asks")


def past_the_roles() -> Iterator[str]:
    for path in (ROOT / "pages").glob("**/*.py"):
        if path.parent.name == "routes" and WAYS_IN.fullmatch(path.stem):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        followed = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute):
                continue
            where = f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}"
            of_studio = re.search(r"(studio\(\)|here|state)$", ast.unparse(node.value))
            if node.attr in READS and of_studio and followed.get(id(node), "") not in READS[node.attr]:
                yield where
            if node.attr in CHANGES and ast.unparse(node.value) not in ASKING | {"query"}:
                yield where


def test_no_page_and_no_route_changes_anything_past_the_roles():
    assert list(past_the_roles()) == []


ROLES: tuple[Role, ...] = ("viewer", "maker")


@pytest.mark.parametrize("role", ROLES)
def test_the_admin_page_is_for_admins_only(studio: Studio, monkeypatch: pytest.MonkeyPatch, role: Role):
    sign_in(monkeypatch, studio, "Somebody", role)
    app = open_page(new_tab(), "admin.py")
    assert "This page is for admins" in texts(app)
    assert not [button for button in app.button if str(button.key).startswith("admin.")]


def test_the_route_of_typed_text_is_the_only_one_of_drafts():
    assert [route.path for route in routes() if hasattr(route, "path")] == ["/drafts/{draft_id}"]


def test_what_a_page_draws_by_itself_is_no_use_of_the_session(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    sign_in(monkeypatch, studio, "Mia", "maker")
    parts: list[Callable[[], None]] = []

    def kept(draw: Callable[[], None]) -> Callable[[], None]:
        parts.append(draw)
        return draw

    used = uses_of(studio.state.sessions, monkeypatch)
    monkeypatch.setattr(st, "fragment", lambda **_: kept)
    app = open_app()
    assert not app.exception
    assert used
    assert all(used)
    used.clear()
    monkeypatch.setattr(fragment, "component", lambda: lambda **_: None)
    parts[0]()
    assert used
    assert not any(used)
