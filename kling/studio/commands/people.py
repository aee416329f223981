"""`people add|list|role|invite|remove|take-back`: who may use the studio, also while it runs."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from kling.studio import server_options
from kling.studio.commands.settings import ROOT, operator_settings
from kling.studio.identity.roles import ROLES, Action
from kling.studio.settings import Settings, SettingsError
from kling.studio.state.records import StateError
from kling.studio.visible_names import visible

if TYPE_CHECKING:
    from kling.studio.commands.people_database import Opened
    from kling.studio.identity.people import Person
    from kling.studio.state.database import Note

_OF_ACCOUNTS = ROLES[1:]
_LONGEST_LINE = 8192  # bytes of standard input that are read
_COLUMNS = ("NAME", "ROLE", "COMES IN BY", "LAST SEEN", "SESSIONS")


class Unusable(Exception):
    """What was given cannot be used; the text says why and what helps."""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "people",
        help="say who may use the studio, also while it runs",
        description="Say who may use the studio. It works while the studio runs, which notices in a second.",
    )
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
    add = commands.add_parser(
        "add",
        help="add an account",
        description="Add an account. Its password is the first line of standard input, at least 12 "
        "characters. If there is none, a link is printed with which the person sets it.",
    )
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", required=True, choices=_OF_ACCOUNTS, help="what the person may do")
    listing = commands.add_parser("list", help="show everybody")
    listing.add_argument("--removed", action="store_true", help="also who was removed, with ids")
    role = commands.add_parser("role", help="change what somebody may do")
    role.add_argument("name", metavar="NAME")
    role.add_argument("given", nargs="?", choices=ROLES, metavar="ROLE", help=f"one of {', '.join(ROLES)}")
    role.add_argument("--role", choices=ROLES, help="the same")
    for name, words in (
        ("invite", "print a new link with which somebody sets a password"),
        ("remove", "let somebody in no more; what they made stays"),
        ("take-back", "undo a removal"),
    ):
        commands.add_parser(name, help=words).add_argument("name", metavar="NAME", help="or the id")


def run(options: argparse.Namespace) -> int:
    """Do one of the commands; return the exit code."""
    from kling.studio.commands.people_database import FolderClosed, opened
    from kling.studio.identity.errors import PeopleError

    try:
        settings = operator_settings()
        with opened(settings.data_dir) as here:
            _DOING[options.what](options, settings, here)
    except (SettingsError, StateError, PeopleError, FolderClosed, Unusable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _add(options: argparse.Namespace, settings: Settings, here: Opened) -> None:
    password = _first_line()
    note = _note(here, did="added", name=visible(options.name), role=options.role)
    person = here.people.add(options.name, options.role, password=password, note=note)
    _say(f"{person.name} is added as {person.role} in {settings.data_dir}.")
    if not password:
        _print_link(settings, here, person)
    if not any(each.role == "admin" for each in here.people.list()):
        sys.stderr.write("Nobody is an admin yet. Make somebody one: people role NAME admin\n")


def _list(options: argparse.Namespace, settings: Settings, here: Opened) -> None:
    people = here.people.list(removed=options.removed)
    if not people:
        _say(f"There are no people in {settings.data_dir} yet. Add one: people add NAME --role admin")
        return
    sessions = here.sessions.all()
    table = [(*_COLUMNS, *(("ID",) if options.removed else ()))]
    for person in people:
        mine = [session for session in sessions if session.person_id == person.id]
        seen = max([person.seen, *(session.seen for session in mine)])
        table.append(
            (
                person.name,
                "removed" if person.removed else person.role,
                person.way if person.has_password or person.way != "account" else "account, no password yet",
                _time(seen, settings.timezone),
                str(len(mine)),
                *((person.id,) if options.removed else ()),
            )
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        _say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _role(options: argparse.Namespace, _settings: Settings, here: Opened) -> None:
    given = {options.given, options.role} - {None}
    if len(given) != 1:
        raise Unusable(f"Say one role: people role {options.name} ROLE, with one of {', '.join(ROLES)}.")
    role = given.pop()
    person = here.people.set_role(
        _found(here, options.name).id, role, note=_note(here, did="role", role=role)
    )
    _say(f"{person.name} is {person.role} now.")


def _invite(options: argparse.Namespace, settings: Settings, here: Opened) -> None:
    _print_link(settings, here, _found(here, options.name))


def _remove(options: argparse.Namespace, _settings: Settings, here: Opened) -> None:
    person = here.people.remove(_found(here, options.name).id, note=_note(here, did="removed"))
    _say(
        f"{person.name} is removed, and signed out everywhere. The jobs stay. To undo it: "
        f"people take-back {person.id}"
    )


def _take_back(options: argparse.Namespace, _settings: Settings, here: Opened) -> None:
    removed = [person for person in here.people.list(removed=True) if person.removed]
    found = [person for person in removed if options.name in {person.id, person.name}]
    if len(found) != 1:
        raise Unusable(
            f"{len(found) or 'No'} people of this name were removed: give the id, which "
            "people list --removed shows."
        )
    person = here.people.take_back(found[0].id, note=_note(here, did="removal undone"))
    _say(f"{person.name} is back as {person.role}.")
    if person.way == "account":
        _say(f"For a new password: people invite {person.id}")


_DOING = {
    "add": _add,
    "list": _list,
    "role": _role,
    "invite": _invite,
    "remove": _remove,
    "take-back": _take_back,
}


def _print_link(settings: Settings, here: Opened, person: Person) -> None:
    """Print the link alone on the last line, for scripts."""
    from kling.studio.commands.people_database import COMMAND_LINE

    token = here.invitations.make(person.id, COMMAND_LINE.name, note=_note(here, did="invited"))
    _say(f"{person.name} sets a password with this link. It works once, and for three days:")
    _say(f"{_address(settings)}/sign-in/invitation/{token}")
    if not settings.public_url:
        sys.stderr.write(
            "STUDIO_PUBLIC_URL is not set, so the link is for this machine: for others put the address at "
            "which they open the studio in its place.\n"
        )


def _address(settings: Settings) -> str:
    """Return the address of the studio with its base path; links never come from a request."""
    server = server_options.running(settings.data_dir) or server_options.read(os.environ, ROOT)
    return f"{settings.public_url or f'http://localhost:{server.port}'}{server.base}"


def _found(here: Opened, name: str) -> Person:
    person = here.people.by_name(name) or here.people.get(name)
    if person is None or person.removed:
        raise Unusable(f"There is nobody named {name[:60]!r}. `people list` shows everybody.")
    return person


def _first_line() -> str:
    """Return the first line of standard input; empty if that is a terminal, closed or empty."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return ""
    try:
        line = sys.stdin.buffer.readline(_LONGEST_LINE)
        return line.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Unusable("The password on standard input is no text in UTF-8. Nobody was added.") from None
    except OSError:
        return ""


def _note(here: Opened, **details: object) -> Note:
    """Return what writes into the audit what is done, in the same transaction."""
    from kling.studio.commands.people_database import COMMAND_LINE

    return here.audit.entry(COMMAND_LINE, Action.MANAGE_PEOPLE.value, **details)


def _time(seconds: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M}" if seconds else "never"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
