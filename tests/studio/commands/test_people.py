"""`python -m kling.studio people`: what the terminal says, and what it does to a studio beside it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pwdlib import PasswordHash

from kling.studio import __main__ as program
from kling.studio.commands import people as command
from kling.studio.folder import DataFolder
from kling.studio.identity import people as people_module
from kling.studio.identity.passwords import Passwords
from kling.studio.identity.roles import User
from kling.studio.server_options import ServerOptions, write_down
from kling.studio.settings import load
from kling.studio.state.faults import FILE
from kling.studio.state.shared import SharedState
from tests.studio.identity.conftest import CountingHasher

ROOT = Path(__file__).parents[3]
GOOD = "correct horse battery"


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost nothing."""
    monkeypatch.setattr(people_module, "Passwords", lambda: Passwords(PasswordHash((CountingHasher(),))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a command with a text on standard input and with settings."""

    def call(*arguments: str, stdin: str | bytes | None = "", **settings: str) -> Said:
        if stdin is None:
            monkeypatch.setattr(sys, "stdin", None)
        else:
            given = stdin if isinstance(stdin, bytes) else stdin.encode()
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        env = {"STUDIO_DATA_DIR": str(folder), **settings}
        monkeypatch.setattr(command, "operator_settings", lambda: load(env, tmp_path / "none", root=tmp_path))
        capsys.readouterr()
        try:
            code = program.main(list(arguments))
        except SystemExit as left:
            code = int(left.code or 0)
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def studio(folder: Path) -> Iterator[SharedState]:
    """A studio's state in the same folder, which looks only when it is asked to."""
    folder.mkdir(exist_ok=True)
    state = SharedState(folder, clock=time.time, monotonic=time.monotonic)
    yield state
    state.stop()


def token_in(said: Said) -> str:
    found = re.fullmatch(r"http\S+/sign-in/invitation/([A-Za-z0-9_-]{43})", said.out.splitlines()[-1])
    assert found
    return found[1]


# -- add ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [GOOD, f"{GOOD}\n", f"{GOOD}\r\nmore\n", f"\ufeff{GOOD}\n"])
def test_the_first_line_of_standard_input_is_the_password(run, studio, folder, line):
    said = run("people", "add", "Ada", "--role", "admin", stdin=line)
    assert said == Said(0, f"Ada is added as admin in {folder}.\n", "")
    assert studio.people.verify("ada", GOOD).role == "admin"


@pytest.mark.parametrize("stdin", ["", "\n", "\r\n", "\nsecond line is no password", None])
def test_without_a_password_a_link_is_printed_with_which_the_person_sets_one(run, studio, stdin):
    public = "https://studio.example.com"
    said = run("people", "add", "Ada", "--role", "admin", stdin=stdin, STUDIO_PUBLIC_URL=public)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1].startswith(f"{public}/sign-in/invitation/")
    assert studio.invitations.accept(token_in(said), GOOD).name == "Ada"


def test_the_link_has_the_base_path(run, monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "/tools/studio/")
    said = run("people", "add", "Ada", "--role", "admin", STUDIO_PUBLIC_URL="https://studio.example.com")
    assert "https://studio.example.com/tools/studio/sign-in/invitation/" in said.out


def test_the_link_leads_to_where_the_running_studio_listens_whatever_its_command_line_was(run, folder):
    here = DataFolder(folder)
    write_down(folder, ServerOptions(port=9123, base="/studio"))
    said = run("people", "add", "Ada", "--role", "admin")
    assert said.out.splitlines()[-1].startswith("http://localhost:9123/studio/sign-in/invitation/")
    here.release()
    said = run("people", "invite", "Ada")
    assert said.out.splitlines()[-1].startswith("http://localhost:8501/sign-in/invitation/")


def test_without_a_public_address_the_link_is_for_this_machine_and_it_says_so(run):
    said = run("people", "add", "Ada", "--role", "admin")
    assert re.search(r"^http://localhost:\d+\S*/sign-in/invitation/", said.out, re.MULTILINE)
    assert "STUDIO_PUBLIC_URL is not set" in said.err
    assert token_in(said)


def test_it_says_when_nobody_is_an_admin(run):
    assert "Nobody is an admin yet" in run("people", "add", "Ada", "--role", "viewer", stdin=GOOD).err
    assert run("people", "add", "Bob", "--role", "admin", stdin=GOOD).err == ""


@pytest.mark.parametrize(
    ("name", "stdin", "words"),
    [
        ("Bob", "short", "fewer than 12 characters"),
        ("Bob", "x" * 1025, "more than 1024 characters"),
        ("Bob", "x" * 100_000, "more than 1024 characters"),
        ("Bob", b"\xff\xfe" * 20, "no text in UTF-8"),
        ("Bob", f"{GOOD}\0", "cannot be stored"),
        ("ada", GOOD, "There is Ada already"),
        ("", GOOD, "The name is empty"),
        ("x" * 61, GOOD, "more than 60 characters"),
    ],
)
def test_who_cannot_be_added_is_not_added_and_the_reason_is_said(run, studio, name, stdin, words):
    run("people", "add", "Ada", "--role", "admin", stdin=GOOD)
    said = run("people", "add", name, "--role", "maker", stdin=stdin)
    assert (said.code, said.out) == (1, "")
    assert words in said.err
    assert "Traceback" not in said.err
    studio.look_for_changes()
    assert [person.name for person in studio.people.list()] == ["Ada"]


# -- list --------------------------------------------------------------------------------------------------


def test_the_list_shows_name_role_way_last_use_and_sessions(run, studio):
    run("people", "add", "Ada", "--role", "admin", stdin=GOOD)
    run("people", "add", "Bob", "--role", "viewer")
    studio.look_for_changes()
    cy = studio.people.from_outside("oidc", "sub", "Cy", None, "maker")
    for _ in range(2):
        studio.sessions.begin(cy, "oidc", "")
    said = run("people", "list", STUDIO_TIMEZONE="Europe/Berlin")
    lines = [re.split(r" {2,}", line) for line in said.out.splitlines()]
    assert lines[0] == ["NAME", "ROLE", "COMES IN BY", "LAST SEEN", "SESSIONS"]
    assert lines[1:3] == [
        ["Ada", "admin", "account", "never", "0"],
        ["Bob", "viewer", "account, no password yet", "never", "0"],
    ]
    assert lines[3][:3] + lines[3][4:] == ["Cy", "maker", "oidc", "2"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", lines[3][3])


def test_an_empty_list_says_where_it_looked_and_what_to_do(run, folder):
    said = run("people", "list")
    assert said.out == f"There are no people in {folder} yet. Add one: people add NAME --role admin\n"


# -- role, invite, remove, take-back -----------------------------------------------------------------------


def test_a_role_is_changed_in_either_spelling(run, studio):
    run("people", "add", "Ada", "--role", "admin", stdin=GOOD)
    run("people", "add", "Bob", "--role", "viewer", stdin=GOOD)
    assert run("people", "role", "bob", "maker") == Said(0, "Bob is maker now.\n", "")
    assert run("people", "role", "BOB", "--role", "admin").out == "Bob is admin now.\n"
    assert studio.people.by_name("Bob").role == "admin"
    assert run("people", "role", "Bob").code == 1
    assert "one of none, viewer, maker, admin" in run("people", "role", "Bob", "maker", "--role", "admin").err


def test_a_new_link_is_printed_and_the_one_of_before_is_useless(run, studio):
    first = token_in(run("people", "add", "Ada", "--role", "admin"))
    second = token_in(run("people", "invite", "ada"))
    assert studio.invitations.look(first) is None
    assert studio.invitations.look(second).name == "Ada"


def test_who_is_removed_is_out_of_a_running_studio_and_can_be_taken_back(run, studio):
    run("people", "add", "Ada", "--role", "admin", stdin=GOOD)
    run("people", "add", "Bob", "--role", "maker", stdin=GOOD)
    bob = studio.people.by_name("Bob")
    token = studio.sessions.begin(bob, "account", "")
    said = run("people", "remove", "Bob")
    assert f"people take-back {bob.id}" in said.out
    studio.look_for_changes()
    assert studio.who(token) is None
    assert "Bob" not in run("people", "list").out
    assert re.search(rf"Bob +removed .* {bob.id}$", run("people", "list", "--removed").out, re.MULTILINE)
    assert run("people", "remove", "Bob").code == 1
    assert "Bob is back as maker." in run("people", "take-back", bob.id).out
    assert run("people", "take-back", "Bob").code == 1


@pytest.mark.parametrize("arguments", [("remove", "Ada"), ("role", "Ada", "maker")])
def test_the_last_admin_stays(run, arguments):
    run("people", "add", "Ada", "--role", "admin", stdin=GOOD)
    said = run("people", *arguments)
    assert (said.code, said.out) == (1, "")
    assert "Ada is the only admin who can sign in." in said.err


@pytest.mark.parametrize("what", [("remove",), ("invite",), ("role", "maker"), ("take-back",)])
def test_nobody_of_a_name_is_said(run, what):
    run("people", "add", "Ada", "--role", "admin", stdin=GOOD)
    said = run("people", what[0], "N\x1bobody", *what[1:])
    assert (said.code, said.out) == (1, "")
    assert "people list" in said.err
    assert "\x1b" not in said.err


# -- the audit, and every error ----------------------------------------------------------------------------


def test_each_change_is_in_the_audit_as_the_command_line_s_and_no_password_is(run, studio):
    run("people", "add", "Root", "--role", "admin", stdin=GOOD)
    run("people", "add", "Ada", "--role", "admin")
    run("people", "role", "Ada", "maker")
    run("people", "invite", "Ada")
    run("people", "remove", "Ada")
    ada = studio.people.list(removed=True)[-1].id
    run("people", "take-back", ada)
    run("people", "remove", "Root")  # is refused, so it is not there
    entries = studio.audit.search()
    assert {(entry.person_id, entry.name) for entry in entries} == {("command line", "command line")}
    assert [entry.details["did"] for entry in reversed(entries)] == [
        "added",
        "added",
        "invited",
        "role",
        "invited",
        "removed",
        "removal undone",
    ]
    assert [entry.thing for entry in entries][:5] == [ada] * 5
    assert GOOD not in "".join(studio.audit.export())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("peeple",),
        ("people",),
        ("people", "ad"),
        ("people", "add"),
        ("people", "add", "Ada"),
        ("people", "add", "Ada", "--role", "none"),
        ("people", "add", "Ada", "--role", "root"),
        ("people", "remove"),
    ],
)
def test_a_wrong_command_prints_how_it_is_used(run, folder, arguments):
    said = run(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("usage: python -m kling.studio")
    assert not folder.exists()


def test_help_names_the_commands(run):
    said = run("--help")
    assert said.code == 0
    assert "people" in said.out
    assert "12 characters" in re.sub(r"\s+", " ", run("people", "add", "--help").out)


def test_a_setting_that_cannot_be_used_is_said(run):
    said = run("people", "list", STUDIO_UNIT_PRICE="many")
    assert (said.code, said.out) == (1, "")
    assert "STUDIO_UNIT_PRICE" in said.err


def test_a_folder_that_cannot_be_made_is_said(run, tmp_path):
    (tmp_path / "file").touch()
    said = run("people", "list", STUDIO_DATA_DIR=str(tmp_path / "file" / "data"))
    assert said.code == 1
    assert "STUDIO_DATA_DIR" in said.err


def test_a_file_that_is_no_database_is_left_alone(run, folder):
    folder.mkdir()
    (folder / FILE).write_bytes(b"no database" * 100)
    said = run("people", "add", "Ada", "--role", "admin", stdin=GOOD)
    assert (said.code, said.out) == (1, "")
    assert "no database" in said.err


def test_another_user_s_folder_without_a_database_is_left_to_that_user(run, folder, monkeypatch):
    folder.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    said = run("people", "add", "Ada", "--role", "admin", stdin=GOOD)
    assert said.code == 1
    assert "sudo -u" in said.err
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_in_a_user_s_folder_is_that_user_s(run, folder):
    folder.mkdir()
    os.chown(folder, 1234, 1234)
    assert run("people", "add", "Ada", "--role", "admin", stdin=GOOD).code == 0
    owners = {path.stat().st_uid for path in folder.iterdir()}
    assert owners == {1234}
    assert (folder / FILE).stat().st_mode & 0o077 == 0


def test_as_a_program_of_its_own_beside_a_running_studio(studio, folder, tmp_path):
    people = studio.people
    env = {**os.environ, "STUDIO_DATA_DIR": str(folder), "STUDIO_PUBLIC_URL": "", "LC_ALL": "C"}
    for name, secret in (("Ada", GOOD), ("Żółć 🦊", "")):
        done = subprocess.run(
            [sys.executable, "-m", "kling.studio", "people", "add", name, "--role", "admin"],
            cwd=ROOT,
            env=env,
            input=secret,
            capture_output=True,
            text=True,
            check=True,
            encoding="utf-8",
        )
        assert "is added as admin" in done.stdout
    studio.look_for_changes()
    ada = people.verify("Ada", GOOD)
    assert ada.user == User(ada.id, "Ada", "admin")
    assert people.by_name("Żółć 🦊")
    assert tmp_path.exists()
