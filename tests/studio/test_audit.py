"""The audit: what is written, what never is, search, and export."""

from __future__ import annotations

import ast
import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from kling.studio.audit import NEVER, STRANGERS, Audit, AuditEntry
from kling.studio.identity.roles import User
from kling.studio.ledger.csv_text import decode_cell
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE
from kling.studio.state.records import StateError
from kling.studio.state.tables import audit as table

NOW = 1_790_000_000.0
ADA, BOB, NOBODY = User("p1", "Ada", "maker"), User("p2", "Bob", "admin"), User("", "", "none")


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    here = Database(tmp_path / FILE)
    yield here
    here.close()


@pytest.fixture
def audit(database: Database, clock: Clock) -> Audit:
    return Audit(database, clock)


def things(entries: tuple[AuditEntry, ...]) -> list[str]:
    return [entry.thing for entry in entries]


# -- what is written ---------------------------------------------------------------------------------------


def test_an_entry_says_who_did_what_to_what_and_when(audit):
    audit.note(ADA, "order", "v123", jobs=3, account="sandbox", held=False, why=None)
    (entry,) = audit.search()
    assert entry == AuditEntry(
        1, NOW, "p1", "Ada", "order", "v123", {"jobs": 3, "account": "sandbox", "held": False, "why": None}
    )


def test_the_newest_entry_is_first_and_numbers_only_grow(audit, clock):
    for number in range(5):
        audit.note(ADA, "order", str(number))
        clock.now -= 100  # a clock that was put back does not change the order
    assert things(audit.search()) == ["4", "3", "2", "1", "0"]
    assert [entry.id for entry in audit.search()] == [5, 4, 3, 2, 1]


def test_long_and_hostile_text_is_cut_and_made_one_line(audit):
    user = User("x" * 100, "Ada\x1b[2J\u202e" + "x" * 100, "maker")
    audit.note(
        user, "a\nb" * 50, "\ud800\0\r\n" + "y" * 5000, detail="z\n" * 5000, **{f"d{n}": n for n in range(99)}
    )
    (entry,) = audit.search()
    text = f"{entry.name}{entry.action}{entry.thing}{entry.details}"
    assert "\x1b" not in text
    assert "\n" not in text
    assert (len(entry.person_id), len(entry.name), len(entry.action), len(entry.thing)) == (20, 60, 40, 120)
    assert len(entry.details["detail"]) == 200
    assert len(entry.details) == 20


@pytest.mark.parametrize(
    "value", [2**80, -(2**80), ("a", 1), {"deep": [1]}, b"bytes", User("p", "n", "none")]
)
def test_any_other_value_is_kept_as_a_short_text(audit, value):
    audit.note(ADA, "order", value=value)
    assert audit.search()[0].details == {"value": str(value)}


@pytest.mark.parametrize("name", sorted(NEVER))
def test_what_may_be_a_prompt_or_a_secret_has_no_place(audit, name):
    with pytest.raises(ValueError, match=f"never holds: {name}"):
        audit.note(ADA, "order", **{name: "canary"})
    assert audit.search() == ()


def test_strangers_can_write_only_so_much_an_hour_and_people_always(audit, clock):
    for _ in range(STRANGERS + 50):
        audit.note(NOBODY, "sign in refused")
    audit.note(ADA, "sign in")
    assert len(audit.search(most=1000)) == STRANGERS + 1
    clock.now += 3600
    audit.note(NOBODY, "sign in refused")
    assert len(audit.search(most=1000)) == STRANGERS + 2


def test_an_audit_that_cannot_be_written_says_so(audit, tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE)) as other, other:
        other.execute("DROP TABLE audit")
    with pytest.raises(StateError):
        audit.note(ADA, "order")
    with pytest.raises(StateError):
        audit.search()


def test_no_module_but_the_one_that_erases_changes_or_deletes_what_was_written():
    """In the module itself, and in every other one that has the table at hand."""
    root = Path(__file__).parents[2] / "kling"
    found = set()
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "audit" not in text or not ("update" in text or "delete" in text):
            continue  # to parse all modules takes a second
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"update", "delete"}
            ):
                names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                names |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
                if "audit" in names:
                    found.add(path.name)
    assert found <= {"erasing.py"}
    assert "audit.py" not in found


# -- search ------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(audit: Audit) -> Audit:
    audit.note(ADA, "order", "v1", jobs=2)
    audit.note(BOB, "set budgets", "p1", amount="20", unit="USD")
    audit.note(ADA, "withdraw", "v1")
    audit.note(User("p3", "Çağla ÖZ", "viewer"), "star", "v2", note="Straße 100%_")
    return audit


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["v2", "v1", "p1", "v1"]),
        ("V1", ["v1", "v1"]),
        ("ada", ["v1", "v1"]),
        ("usd", ["p1"]),
        ("BUDGETS", ["p1"]),
        ("öz", ["v2"]),
        ("STRASSE", ["v2"]),
        ("100%", ["v2"]),
        ("%", ["v2"]),
        ("_", ["v2"]),
        ("' OR 1=1 --", []),
        ("\0\ud800", []),
        ("x" * 100_000, []),
    ],
)
def test_text_is_found_in_every_column_in_any_case_and_taken_as_it_is(filled, text, found):
    assert things(filled.search(text)) == found


def test_entries_are_found_by_who_did_it_and_by_what_was_done(filled):
    assert things(filled.search(person="p1")) == things(filled.search(person="Ada")) == ["v1", "v1"]
    assert things(filled.search(action="withdraw")) == ["v1"]
    assert filled.search(person="p2", action="withdraw") == ()
    assert filled.search(person="%") == filled.search(action="%") == ()
    assert filled.actions() == ("order", "set budgets", "star", "withdraw")


def test_pages_follow_one_another_without_a_gap_while_others_write(audit):
    for number in range(25):
        audit.note(ADA, "order", str(number))
    first = audit.search(most=10)
    audit.note(ADA, "order", "later")
    second = audit.search(most=10, before_id=first[-1].id)
    third = audit.search(most=10, before_id=second[-1].id)
    assert things(first + second + third) == [str(number) for number in reversed(range(25))]
    assert audit.search(before_id=third[-1].id) == ()


def test_a_search_reads_past_pages_in_which_nothing_is_found(database, clock):
    audit = Audit(database, clock, page=7)
    audit.note(ADA, "order", "needle")
    for number in range(50):
        audit.note(ADA, "order", str(number))
    assert things(audit.search("needle")) == ["needle"]
    assert len(list(audit.export())) == 52


# -- export ------------------------------------------------------------------------------------------------


def rows(audit: Audit) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(audit.export()), newline="")))


def test_the_export_has_every_entry_the_oldest_first(filled):
    header, *found = rows(filled)
    assert header == ["id", "time", "person_id", "name", "action", "thing", "details"]
    assert [row[5] for row in found] == ["v1", "p1", "v1", "v2"]
    assert found[0][:5] == ["1", "2026-09-21T14:13:20+00:00", "p1", "Ada", "order"]
    assert json.loads(found[1][6]) == {"amount": "20", "unit": "USD"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", " =", "'="])
def test_no_cell_of_the_export_is_a_formula_to_a_spreadsheet(audit, start):
    audit.note(User("p1", f"{start}cmd|' /C calc'!A0", "maker"), f"{start}1+1", f"{start}HYPERLINK(1)")
    (row,) = rows(audit)[1:]
    assert all(not cell.startswith(tuple("=+-@\uff1d")) for cell in row)
    assert decode_cell(row[5]).endswith("HYPERLINK(1)")


@pytest.fixture(scope="module")
def one_of_all_examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    here = Database(tmp_path_factory.mktemp("audit") / FILE)
    yield Audit(here, Clock())
    here.close()


@given(thing=st.text(max_size=150), detail=st.text(max_size=250))
def test_whatever_was_noted_is_one_row_of_seven_cells(one_of_all_examples, thing, detail):
    one_of_all_examples.note(ADA, "order", thing, detail=detail)
    found = rows(one_of_all_examples)
    assert {len(row) for row in found} == {7}
    assert len(found) == int(found[-1][0]) + 1


def test_a_row_that_somebody_has_damaged_is_still_shown(audit, database):
    audit.note(ADA, "order", "v1")
    with database.write() as connection:
        connection.execute(
            insert(table),
            [
                {"time": NOW, "person_id": "p", "name": "n", "action": "a", "thing": text, "details": text}
                for text in ("{", "[1]", "null", "")
            ],
        )
    assert [entry.details for entry in audit.search()] == [{}, {}, {}, {}, {}]
    assert len(rows(audit)) == 6
