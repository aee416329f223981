"""The admin page: each section empty, full, and where something is refused or does not answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from kling.resource_packs import ONLINE, RUN_OUT, ResourcePack
from kling.studio.account_packs import PackReport
from kling.studio.budget_limits import NO_LIMIT, UNITS, Scope
from kling.studio.identity.person import Person
from kling.studio.identity.roles import Role, User
from kling.studio.service import Studio
from pages._ui.admin.sessions import browser_words
from tests.pages.conftest import new_tab, texts
from tests.pages.people import forget_cookies, open_app, person_of, sign_in
from tests.pages.test_lists import open_page
from tests.pages.test_pages import HOSTILE, fill

SECTIONS = ("people", "sessions", "budgets", "account", "health", "audit", "names")
Open = Callable[[str], AppTest]


@pytest.fixture
def ada(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Person:
    return sign_in(monkeypatch, studio, "Ada", "admin")


@pytest.fixture
def section(studio: Studio) -> Open:  # noqa: ARG001 - the page finds the running studio by itself
    def open_it(name: str) -> AppTest:
        app = open_app()
        app.session_state["admin.section"] = name
        return open_page(app, "admin.py")

    return open_it


def said(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def choose(app: AppTest, key: str, value: str) -> AppTest:
    return app.selectbox(key=key).set_value(value).run()


@pytest.mark.parametrize("name", SECTIONS)
def test_each_section_opens_without_sign_in_and_is_empty_in_words(
    monkeypatch: pytest.MonkeyPatch, section: Open, name: str
):
    forget_cookies(monkeypatch)
    app = section(name)
    assert not app.exception
    assert not app.error
    empty = {
        "people": "python -m kling.studio people add NAME --role admin",
        "sessions": "there are no sessions",
        "budgets": "Nothing was ordered this month",
        "account": "Kling has not answered yet",
        "health": "Poller",
        "audit": "Nothing was done yet",
        "names": "Every job of the log belongs to somebody",
    }[name]
    assert empty in said(app) + "".join(str(code.value) for code in app.code)


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.usefixtures("ada")
def test_hostile_names_are_drawn_as_text(studio: Studio, section: Open, name: str):
    mia = person_of(studio, HOSTILE[:50], "maker")
    fill(studio, 9, person=HOSTILE)
    studio.ledger.append("job0000", person_id=mia.id)
    studio.state.names.give("<b>old</b>", mia.id, HOSTILE)
    studio.state.audit.note(User("p", HOSTILE, "maker"), HOSTILE, HOSTILE, did=HOSTILE)
    app = section(name)
    assert not app.exception
    assert not any("<script>alert" in str(each.value) for each in app.html)
    shown = [str(each.value) for kind in (app.caption, app.markdown, app.info) for each in kind]
    assert not any("![x](" in text or "<script>" in text for text in shown)


# -- people ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ada")
def test_a_person_is_added_and_the_link_that_sets_the_password_is_shown_once(studio: Studio, section: Open):
    app = section("people")
    app.text_input(key="admin.new_name").set_value("Mia")
    press(app, "Add, and make a link")
    mia = studio.state.people.by_name("mia")
    assert mia is not None
    assert mia.role == "maker"
    (link,) = (str(code.value) for code in app.code)
    found = re.fullmatch(r"/sign-in/invitation/([\w-]{43})", link)
    assert found is not None
    assert studio.state.invitations.look(found[1]) == mia
    assert app.text_input(key="admin.new_name").value == ""
    press(app, "Done")
    assert not app.code


@pytest.mark.usefixtures("ada")
def test_a_link_that_went_to_the_wrong_person_is_withdrawn(studio: Studio, section: Open):
    mia = person_of(studio, "Mia", "maker")
    app = section("people").button(key=f"admin.invite-{mia.id}").click().run()
    token = str(app.code[0].value).rpartition("/")[2]
    assert "by Ada sets a password" in said(app)
    app = press(app, "Withdraw the link")
    assert studio.state.invitations.look(token) is None
    assert not app.code
    assert "sets a password" not in said(app)
    assert "Withdraw the link" not in [button.label for button in app.button]
    assert studio.state.audit.search("withdrawn")[0].thing == mia.id


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("name", "words"), [("", "The name is empty"), ("  ", "The name is empty"), ("ADA", "Ada")]
)
def test_a_name_that_cannot_be_added_is_said_at_the_form_and_stays_in_it(
    studio: Studio, section: Open, name: str, words: str
):
    app = section("people")
    app.text_input(key="admin.new_name").set_value(name)
    press(app, "Add, and make a link")
    assert any(words in str(error.value) for error in app.error)
    assert app.text_input(key="admin.new_name").value == name
    assert len(studio.state.people.list()) == 1


@pytest.mark.usefixtures("ada")
def test_a_role_is_changed_by_one_press(studio: Studio, section: Open):
    mia = person_of(studio, "Mia", "viewer")
    choose(section("people"), f"admin.role-{mia.id}-viewer", "admin")
    assert studio.state.people.by_name("Mia") == person_of(studio, "Mia", "admin")
    assert person_of(studio, "Mia", "admin").role == "admin"


def test_the_last_admin_keeps_the_role_and_is_told_why(studio: Studio, ada: Person, section: Open):
    app = choose(section("people"), f"admin.role-{ada.id}-admin", "viewer")
    assert person_of(studio, "Ada", "admin").role == "admin"
    assert app.toast
    press(press(app, "Remove"), "Yes, remove Ada")
    assert [person.name for person in studio.state.people.list()] == ["Ada"]


@pytest.mark.usefixtures("ada")
def test_a_person_is_removed_after_a_question_and_the_removal_can_be_undone(studio: Studio, section: Open):
    mia = person_of(studio, "Mia", "maker")
    app = section("people")
    app.button(key=f"admin.ask-remove-{mia.id}").click().run()
    assert studio.state.people.by_name("Mia")
    press(app, "Cancel")
    app.button(key=f"admin.ask-remove-{mia.id}").click().run()
    press(app, "Yes, remove Mia")
    assert studio.state.people.by_name("Mia") is None
    press(app, "Undo")
    assert studio.state.people.by_name("Mia")


# -- sessions ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ada")
def test_a_session_of_another_person_is_ended_and_ones_own_is_not_offered(studio: Studio, section: Open):
    mia = person_of(studio, "Mia", "maker")
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML) Chrome/140.0 Safari/537.36"
    studio.state.sessions.begin(mia, "account", agent)
    app = section("sessions")
    assert "Chrome on Windows" in said(app)
    assert "(this session)" in said(app)
    press(app, "End")
    assert studio.state.sessions.of(mia.id) == ()
    assert not [button for button in app.button if button.label == "End"]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("curl/8", "curl/8"),
        ("", "unknown browser"),
    ],
)
def test_a_browser_is_told_in_two_words(agent: str, words: str):
    assert browser_words(agent) == words


# -- budgets -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ada")
def test_limits_are_set_changed_and_removed_in_one_form(studio: Studio, section: Open):
    app = section("budgets")
    app.text_input(key="admin.amount-person_day").set_value("$20")
    app.text_input(key="admin.amount-team_month").set_value("37")
    app.selectbox(key="admin.unit-team_month").set_value(UNITS)
    press(app, "Save the limits")
    found = {limit.scope: (limit.amount, limit.unit) for limit in studio.budgets.limits}
    assert found == {Scope.PERSON_DAY: (Decimal(20), "USD"), Scope.TEAM_MONTH: (Decimal(37), UNITS)}
    assert "Saved" in said(app)
    app.text_input(key="admin.amount-person_day").set_value("")
    press(app, "Save the limits")
    assert [limit.scope for limit in studio.budgets.limits] == [Scope.TEAM_MONTH]


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("typed", ["many", "-1", "1e99", "NaN", "twenty"])
def test_a_limit_that_is_no_number_is_said_at_its_field_and_stays_there(
    studio: Studio, section: Open, typed: str
):
    app = section("budgets")
    app.text_input(key="admin.amount-clip").set_value(typed)
    press(app, "Save the limits")
    assert any("number from 0 on" in str(error.value) for error in app.error)
    assert app.text_input(key="admin.amount-clip").value == typed
    assert studio.budgets.limits == ()


@pytest.mark.usefixtures("ada")
def test_one_person_may_have_limits_in_the_place_of_everybodys(studio: Studio, section: Open):
    mia = person_of(studio, "Mia", "maker")
    app = section("budgets")
    app.selectbox(key="admin.limit_person").set_value(mia.id).run()
    app.text_input(key=f"admin.amount-person_day-{mia.id}").set_value("5")
    app.button(key=f"admin.save-{mia.id}").click().run()
    (limit,) = studio.budgets.limits
    assert (limit.scope, limit.person_id, limit.amount) == (Scope.PERSON_DAY, mia.id, Decimal(5))
    assert "With limits of their own: Mia" in said(app)


@pytest.mark.usefixtures("ada")
def test_one_person_may_be_free_of_the_limit_for_everybody_and_bound_again(studio: Studio, section: Open):
    mia = person_of(studio, "Mia", "maker")
    studio.budgets.set(Scope.PERSON_DAY, 5)
    app = section("budgets")
    app.selectbox(key="admin.limit_person").set_value(mia.id).run()
    unit = f"admin.unit-person_day-{mia.id}"
    assert app.selectbox(key=unit).options == ["USD", "Units", "no limit"]
    assert app.selectbox(key=f"admin.unit-clip-{mia.id}").options == ["USD", "Units"]
    app.selectbox(key=unit).set_value(NO_LIMIT)
    app.button(key=f"admin.save-{mia.id}").click().run()
    assert [limit.is_lifted for limit in studio.budgets.limits if limit.person_id == mia.id] == [True]
    assert studio.budgets.status_of(mia.id).lines == ()
    assert len(studio.budgets.status_of("somebody else").lines) == 1
    assert app.text_input(key=f"admin.amount-person_day-{mia.id}").placeholder == "no limit"
    app.selectbox(key=unit).set_value("USD")
    app.button(key=f"admin.save-{mia.id}").click().run()
    assert [limit.person_id for limit in studio.budgets.limits] == [""]


@pytest.mark.usefixtures("ada")
def test_what_is_used_stands_in_a_table_by_person(studio: Studio, section: Open):
    fill(studio, 2, person="Mia", units="1.5", state="submitted")
    table = next(str(each.value) for each in section("budgets").html if "What is used" in str(each.value))
    assert table.count("$0.42 (3 Units)") == 6  # the team and Mia: today, this month, not deducted yet


# -- account, health, audit, names -------------------------------------------------------------------------


@pytest.mark.usefixtures("ada")
def test_the_account_says_what_runs_by_model(studio: Studio, section: Open):
    fill(studio, 9, model_name="kling-v2-6")
    assert ">kling-v2-6</th><td>" in "".join(str(each.value) for each in section("account").html)


@pytest.mark.usefixtures("ada")
def test_health_says_which_part_does_not_work(studio: Studio, section: Open, monkeypatch: pytest.MonkeyPatch):
    assert "Disk** has room" in said(section("health"))
    monkeypatch.setattr(
        type(studio.health), "parts", lambda _: {"poller": True, "log": True, "disk": False, "database": True}
    )
    assert "Disk** is nearly full: make room" in said(section("health"))


@pytest.mark.usefixtures("ada")
def test_the_audit_is_searched_and_read_page_by_page(studio: Studio, section: Open):
    mia = person_of(studio, "Mia", "maker")
    for number in range(60):
        studio.state.audit.note(mia.user, "order", f"job-{number}")

    def rows(app: AppTest) -> list[str]:
        html = next((str(each.value) for each in app.html if "The audit" in str(each.value)), "")
        return re.findall(r"job-\d+", html)

    app = section("audit")
    assert rows(app) == [f"job-{number}" for number in range(59, 9, -1)]
    press(app, "Older")
    assert rows(app) == [f"job-{number}" for number in range(9, -1, -1)]
    press(app, "Newer")
    assert len(rows(app)) == 50
    app.text_input(key="admin.audit_text").set_value("JOB-7").run()
    assert rows(app) == ["job-7"]
    app.text_input(key="admin.audit_text").set_value("nothing like that").run()
    assert "Nothing was found" in said(app)


@pytest.mark.usefixtures("ada")
def test_an_old_name_is_given_to_a_person_and_that_is_undone(studio: Studio, section: Open):
    mia = person_of(studio, "Mia Maker", "maker")
    fill(studio, 3, person="mia maker")
    studio.ledger.append("other", state="waiting", person="MIA  MAKER", account="sandbox")
    app = section("names")
    assert "mia maker**  \n4 jobs" in said(app)
    assert app.selectbox(key="admin.name_person-miamaker").value == mia.id  # the same name is proposed
    app.button(key="admin.give-miamaker").click().run()
    assert studio.state.names.owner_of("Mia MAKER") == mia.id
    press(app, "Undo")
    assert studio.state.names.owner_of("Mia MAKER") == ""


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("name", SECTIONS)
def test_a_database_that_does_not_answer_is_said_and_breaks_no_page(studio: Studio, section: Open, name: str):
    app = section(name)
    studio.state.stop()
    app.run()
    assert not app.exception
    assert texts(app)


@pytest.mark.parametrize(("role", "is_told"), [("admin", True), ("maker", False), ("viewer", False)])
def test_admins_are_warned_of_packs_that_run_out_on_every_page(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, role: Role, is_told: bool
):
    sign_in(monkeypatch, studio, "Somebody", role)
    studio.packs.report = PackReport(
        (ResourcePack(name="Trial", total=Decimal(100), remaining=Decimal(4), status=ONLINE),), None
    )
    app = open_page(new_tab(), "gallery.py")
    assert ("Trial has 4 of 100 Units left" in said(app)) is is_told


@pytest.mark.usefixtures("ada")
def test_a_pack_stands_with_what_is_left_and_both_sums(studio: Studio, section: Open):
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    pack = ResourcePack(
        name="<b>Trial</b>",
        total=Decimal(100),
        remaining=Decimal(64),
        begins=now - timedelta(days=400),
        ends=now + timedelta(days=90),
        status=RUN_OUT,
    )
    studio.packs.report = PackReport((pack,), now)
    table = next(str(each.value) for each in section("account").html if "by the log" in str(each.value))
    for words in ("&lt;b&gt;Trial", "64 Units of 100 Units", "(used up)", "36 Units", "0 Units"):
        assert words in table
    assert "Asked on 26 Nov 2026" in said(section("account"))
