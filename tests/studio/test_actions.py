"""The one way to a change: it asks the roles first, for the right owner, and the audit has it afterwards."""

from __future__ import annotations

import ast
import inspect
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kling.studio import admin_actions
from kling.studio.actions import Actions
from kling.studio.budgets import Scope
from kling.studio.identity.roles import LOCAL, Action, NotAllowed, Role, User
from kling.studio.jobs import NOT_SENT, WAITING, request_cells
from kling.studio.state.faults import FILE
from kling.studio.state.records import StateError
from tests.studio.fakes import FOX, Bench
from tests.studio.role_tables import ACTS, OF_A_JOB, Trial, table

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
# They change nothing.
READS = {"owner_of", "may", "left", "may_withdraw_group", "draft_owner", "person_id", "who", "files_of"}
ADMINS_ONLY = {name for name in vars(admin_actions.AdminActions) if not name.startswith("_")} - READS
ADMINS_ONLY |= {"read_import", "import_jobs", "undo_import"}
VIEWERS = {"star", "rate", "export", "add_collection", "change_collection", "collect", "uncollect"}
VIEWERS |= {"move_in_collection", "delete_collection", "take_away", "take_film"}
OWN_ONLY = {"delete_collection"}  # of what a viewer may do
LEAST: dict[str, Role] = {
    name: "admin" if name in ADMINS_ONLY else "viewer" if name in VIEWERS else "maker" for name in ACTS
}
ROLES: tuple[Role, ...] = ("none", "viewer", "maker", "admin")


def methods() -> Iterator[ast.FunctionDef]:
    for part in Actions.__mro__[:-1]:
        node = ast.parse(inspect.getsource(part)).body[0]
        assert isinstance(node, ast.ClassDef)
        yield from (each for each in node.body if isinstance(each, ast.FunctionDef))


def asks_first(method: ast.FunctionDef) -> bool:
    """Whether the first thing that a method does is to ask the roles."""
    first = method.body[1]  # behind the docstring
    call = first.value if isinstance(first, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func) in {"check", "self._check_all"}


def test_every_change_asks_the_roles_before_anything_else():
    silent = {
        each.name
        for each in methods()
        if not each.name.startswith("_") and each.name not in READS and not asks_first(each)
    }
    assert silent == set()


def test_every_change_stands_in_the_table_of_roles():
    assert {each.name for each in methods() if not each.name.startswith("_")} - READS == set(ACTS)


def test_what_is_said_to_change_nothing_asks_for_no_change():
    parts = ("orders.withdraw", "orders.give_up", "orders.send", ".save(", ".add(", "_note(", ".append")
    reads = [each for each in methods() if each.name in READS]
    assert len(reads) == len(READS)
    assert not [each.name for each in reads if any(part in ast.unparse(each) for part in parts)]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    here = Trial(tmp_path_factory.mktemp("roles"))
    yield here
    here.close()


@pytest.mark.parametrize("method", ACTS)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_to_what_is_its_own_what_the_table_says(trial: Trial, method: str, role: Role):
    assert trial.is_allowed(method, role, "own") == (ROLES.index(role) >= ROLES.index(LEAST[method]))


@pytest.mark.parametrize("method", [each for each in OF_A_JOB if each not in VIEWERS - OWN_ONLY])
@pytest.mark.parametrize("role", ROLES)
def test_only_an_admin_decides_about_the_jobs_of_others(trial: Trial, method: str, role: Role):
    assert trial.is_allowed(method, role, "other") == (role == "admin")


@pytest.mark.parametrize("method", [each for each in OF_A_JOB if each in VIEWERS - OWN_ONLY])
@pytest.mark.parametrize("role", ROLES)
def test_whoever_may_look_has_an_opinion_of_everybodys_clips(trial: Trial, method: str, role: Role):
    assert trial.is_allowed(method, role, "other") == (role != "none")


def test_readme_has_the_table_of_roles(tmp_path: Path):
    missing = [line for line in table(tmp_path) if line not in README]
    assert missing == [], "README is behind: python -m tests.studio.role_tables prints the table"


# -- whose a job is ----------------------------------------------------------------------------------------


def job(bench: Bench, job_id: str, state: str = WAITING, **cells: str) -> str:
    bench.ledger.append(job_id, state=state, account=bench.account, **request_cells(FOX), **cells)
    return job_id


def acting(bench: Bench, name: str, role: Role = "maker") -> Actions:
    people = bench.studio.state.people
    return bench.studio.acting_as((people.by_name(name) or people.add(name, role)).user)


def test_a_job_of_an_old_name_is_anybodys_until_the_name_is_given_to_a_person(bench: Bench):
    mia, bob, ada = acting(bench, "Mia"), acting(bench, "Bob"), acting(bench, "Ada", "admin")
    job(bench, "old1", person="anna b")
    assert mia.may(Action.WITHDRAW, bench.job("old1"))
    ada.give_name("Anna B", mia.user.id)
    assert mia.may(Action.WITHDRAW, bench.job("old1"))
    assert not bob.may(Action.WITHDRAW, bench.job("old1"))
    with pytest.raises(NotAllowed):
        bob.withdraw("old1")
    ada.take_back_name("anna b")
    bob.withdraw("old1")
    assert bench.job("old1").state == "withdrawn"


def test_the_person_of_a_job_counts_more_than_the_name_on_it(bench: Bench):
    mia, bob = acting(bench, "Mia"), acting(bench, "Bob")
    job(bench, "j1", person="Bob", person_id=mia.user.id)
    assert not bob.may(Action.WITHDRAW, bench.job("j1"))
    assert mia.may(Action.WITHDRAW, bench.job("j1"))


def test_while_nobody_knows_whose_a_name_is_only_an_admin_decides(bench: Bench):
    mia, ada = acting(bench, "Mia"), acting(bench, "Ada", "admin")
    job(bench, "j1", person="anna b")
    bench.studio.state.stop()
    with pytest.raises(StateError):
        _ = bench.studio.state.names
    assert not mia.may(Action.WITHDRAW, bench.job("j1"))
    assert ada.may(Action.WITHDRAW, bench.job("j1"))


def test_a_batch_with_anothers_job_is_not_withdrawn_in_part(bench: Bench):
    mia, bob = acting(bench, "Mia"), acting(bench, "Bob")
    job(bench, "j1", batch="g", person_id=mia.user.id)
    job(bench, "j2", batch="g", person_id=bob.user.id)
    with pytest.raises(NotAllowed):
        mia.withdraw_group("g")
    assert {bench.job(each).state for each in ("j1", "j2")} == {WAITING}
    assert not mia.may_withdraw_group(bench.ledger.index.batch("g"))


def test_withdrawing_all_that_was_left_leaves_others_jobs_alone(bench: Bench):
    mia, bob = acting(bench, "Mia"), acting(bench, "Bob")
    job(bench, "j1", NOT_SENT, person_id=mia.user.id)
    job(bench, "j2", NOT_SENT, person_id=bob.user.id)
    assert [each.id for each in mia.left()] == ["j1"]
    assert mia.withdraw_left() == 1
    assert bench.job("j2").state == NOT_SENT


def test_the_log_says_who_ordered_by_id_and_by_name(bench: Bench):
    mia = acting(bench, "Mia")
    (made,) = mia.order_all([FOX], session="s")
    assert (made["person"], made["person_id"]) == ("Mia", mia.user.id)
    (made,) = bench.studio.acting_as(User(LOCAL, "Ada", "admin")).order_all([FOX], session="t")
    assert (made["person"], made["person_id"]) == ("Ada", "")


def test_a_template_says_who_saved_it_by_id_and_by_name(bench: Bench):
    ada, bob = acting(bench, "Ada"), acting(bench, "Bob")
    made = ada.add_template(FOX, title="Fox")
    changed = bob.change_template(made, title="Red fox")
    assert [(each.author, each.person_id) for each in (made, changed)] == [
        ("Ada", ada.user.id),
        ("Bob", bob.user.id),
    ]
    assert bench.studio.state.templates.all() == (changed,)


def test_without_sign_in_drafts_are_the_browsers_and_with_it_the_persons(bench: Bench):
    local, mia = bench.studio.acting_as(User(LOCAL, "", "admin")), acting(bench, "Mia")
    draft = f"{1:020x}"
    local.save_draft(draft, browser="b1", fields={"prompt": "A fox"})
    mia.take_drafts_of("b1")
    opened = mia.open_draft(draft, browser="b2")
    assert (opened.id, opened.owner, opened.fields["prompt"]) == (draft, mia.user.id, "A fox")
    assert local.open_draft(draft, browser="b1").id != draft


def test_a_name_is_put_on_jobs_that_have_none_and_on_no_others(bench: Bench):
    local = bench.studio.acting_as(User(LOCAL, "Ada", "admin"))
    job(bench, "j1")
    job(bench, "j2", person="Bob")
    assert local.name_jobs(["j1", "j2", "nothing"]) == 1
    assert [bench.job(each)["person"] for each in ("j1", "j2")] == ["Ada", "Bob"]
    assert sorted(bench.ledger.index.people()) == [("Ada", 1), ("Bob", 1)]
    assert bench.ledger.index.prompts("Ada", 9) == [FOX.prompt]


# -- the audit ---------------------------------------------------------------------------------------------


def test_the_audit_has_what_was_done_and_no_prompt(bench: Bench):
    ada = acting(bench, "Ada", "admin")
    ada.order_all([FOX], session="s")
    person = ada.add_person("Mia", "maker")
    token = ada.invite(person.id)
    found = bench.studio.state.audit.search()
    assert [(each.name, each.action) for each in found] == [
        ("Ada", "manage people"),
        ("Ada", "manage people"),
        ("Ada", "order"),
    ]
    everything = "".join(ada.export_audit())
    assert FOX.prompt not in everything
    assert token not in everything


def test_what_was_refused_changes_nothing_and_is_not_noted_as_done(bench: Bench):
    vera = acting(bench, "Vera", "viewer")
    with pytest.raises(NotAllowed, match="takes the role maker"):
        vera.order_all([FOX], session="s")
    assert bench.ledger.jobs() == ()
    assert bench.studio.state.audit.search() == ()


LIMITS: dict[str, Callable[[Actions], object]] = {
    "set": lambda ada: ada.set_limit(Scope.PERSON_DAY, "12.50", "USD", person_id="p1"),
    "lift": lambda ada: ada.lift_limit(Scope.PERSON_DAY, person_id="p1"),
    "remove": lambda ada: ada.remove_limit(Scope.PERSON_DAY, person_id="p1"),
}


@pytest.mark.parametrize("change", LIMITS.values(), ids=LIMITS)
def test_a_limit_and_its_entry_are_written_together_or_not_at_all(
    bench: Bench, change: Callable[[Actions], object]
):
    ada, studio = acting(bench, "Ada", "admin"), bench.studio
    ada.set_limit(Scope.PERSON_DAY, "7", "units", person_id="p1")
    before = studio.budgets.limits, studio.state.audit.search()
    with closing(sqlite3.connect(bench.folder / FILE)) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
        with pytest.raises(StateError):
            change(ada)
        assert (studio.budgets.limits, studio.state.audit.search()) == before
        database.execute("DROP TRIGGER full")
    change(ada)
    assert studio.budgets.limits != before[0]
    entry = studio.state.audit.search()[0]
    assert (entry.name, entry.action, entry.thing) == ("Ada", "set budgets", "p1")
    assert entry.details["limit"] == "person_day"


def test_an_order_stands_even_if_the_audit_cannot_be_written(bench: Bench):
    mia = acting(bench, "Mia")
    mia.order_all([FOX], session="s")  # the limits are known now
    bench.studio.state.stop()
    assert len(mia.order_all([FOX], session="t")) == 1
