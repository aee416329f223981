"""README's table of roles: each action by each role, on a person's own things and on others', tried for real.

    python -m tests.studio.role_tables

A row is all actions, as `roles` names them, with the same answers. Every cell is what the roles say, and each
method of `Actions` that asks for an action is called on a studio with people to see that it is so.
"""

from __future__ import annotations

import inspect
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from kling import CameraControl, Shot
from kling.studio.actions import Actions
from kling.studio.assistant.assistant import Assistant
from kling.studio.assistant.questions import Instruction, question_of
from kling.studio.assistant.settings import AssistantSettings
from kling.studio.budget_limits import Scope
from kling.studio.curation import CurationError
from kling.studio.identity.roles import Action, NotAllowed, Role, User, may
from kling.studio.jobs import NOT_SENT, SUBMITTED, SUCCEED, UNKNOWN, WAITING, request_cells
from kling.studio.library import JobQuery
from kling.studio.library.imports import ImportPlan
from kling.studio.pictures.store import PictureRefused
from kling.studio.state.records import TeamTemplate
from tests.studio.fakes import FOX, Bench

OWNERS = ("own", "other")
COLUMNS: Mapping[str, tuple[Role, str]] = {
    "nobody, or no role": ("none", "own"),
    "viewer": ("viewer", "own"),
    "maker, own": ("maker", "own"),
    "maker, other's": ("maker", "other"),
    "admin, own": ("admin", "own"),
    "admin, other's": ("admin", "other"),
}


@dataclass
class Case:
    """One call: who makes it, and whose the thing is.

    Args:
        bench: the studio.
        user: who asks.
        owner: the id of the person whose the thing is.
        number: makes ids that were not used before.
    """

    bench: Bench
    user: User
    owner: str
    number: int

    @property
    def actions(self) -> Actions:
        return self.bench.studio.acting_as(self.user)

    def job(self, state: str, group: str = "") -> str:
        """Record a job of the owner; return its id."""
        job_id = f"job{self.number}"
        self.bench.ledger.append(
            job_id,
            state=state,
            account=self.bench.account,
            person="Somebody",
            person_id=self.owner,
            batch=group,
            **request_cells(FOX),
        )
        return job_id

    def clip(self) -> str:
        """Record a job of the owner that has a clip; return its id."""
        job_id = self.job(SUCCEED)
        self.bench.ledger.append(job_id, file=f"{job_id}.mp4")
        self.bench.studio.archive.video(job_id).write_bytes(b"a clip")
        return job_id

    def collection(self) -> str:
        """Make a collection of the owner; return its id."""
        owner = User(self.owner, "Somebody", "viewer")
        return (
            self.bench.studio.state.collections.add(owner, title=f"C{self.number}", clips=[self.clip()])
        ).id

    def share(self, collection_id: str = "") -> str:
        """Make a link of the owner; return its id."""
        ends = self.bench.clock.now + 1000
        owner, clips = User(self.owner, "Somebody", "maker"), [self.clip()]
        shares = self.bench.studio.state.shares
        return shares.add(owner, clips, ends=ends, collection_id=collection_id)[0].id

    def person(self) -> str:
        return self.bench.studio.state.people.add(f"Person {self.number}", "viewer").id

    def draft(self) -> str:
        return f"{self.number:020x}"

    def template(self) -> TeamTemplate:
        return self.bench.studio.state.templates.add(
            FOX, title=f"Fox {self.number}", category="", teaches="", author=""
        )


Act = Callable[[Case], object]


def _group(case: Case) -> object:
    case.job(WAITING, f"g{case.number}")
    return case.actions.withdraw_group(f"g{case.number}")


def _removed(case: Case) -> None:
    person_id = case.person()
    case.bench.studio.state.people.remove(person_id)
    case.actions.take_back_person(person_id)


def _renamed(case: Case) -> object:
    seen = case.bench.studio.state.collections.get(case.collection())
    assert seen is not None
    return case.actions.change_collection(seen, title=f"D{case.number}")


def _asked(case: Case) -> None:
    settings = AssistantSettings(url="http://127.0.0.1:9/v1", model="m")
    case.bench.studio.assistant = Assistant(settings)
    case.actions.ask_assistant(question_of(Instruction.IMPROVE, prompt="A fox")).close()


def _framed(case: Case) -> None:
    with suppress(PictureRefused):
        case.actions.keep_frame(case.job(WAITING))


def _taken_film(case: Case) -> None:
    with suppress(CurationError):
        case.actions.take_film(case.clip())


# By method: the call. A method without an entry fails a test.
OF_A_JOB: Mapping[str, Act] = {
    "withdraw": lambda case: case.actions.withdraw(case.job(WAITING)),
    "withdraw_group": _group,
    "give_up": lambda case: case.actions.give_up(case.job(UNKNOWN)),
    "send_again": lambda case: case.actions.send_again(case.job(NOT_SENT)),
    "star": lambda case: case.actions.star([case.job(WAITING)]),
    "rate": lambda case: case.actions.rate([case.job(WAITING)], 4),
    "add_tags": lambda case: case.actions.add_tags([case.job(WAITING)], ["fox"]),
    "remove_tags": lambda case: case.actions.remove_tags([case.job(WAITING)], ["fox"]),
    "set_note": lambda case: case.actions.set_note(case.job(WAITING), "For the client"),
    "hide": lambda case: case.actions.hide([case.job(WAITING)]),
    "delete_files": lambda case: case.actions.delete_files([case.job(WAITING)]),
    "delete_collection": lambda case: case.actions.delete_collection(case.collection()),
    "share": lambda case: case.actions.share([case.clip()]),
    "share_collection": lambda case: case.actions.share_collection(case.collection()),
    "renew_share": lambda case: case.actions.renew_share(case.share(case.collection())),
    "end_share": lambda case: case.actions.end_share(case.share()),
}
OF_NOBODY: Mapping[str, Act] = {
    "order_all": lambda case: case.actions.order_all([FOX], session=f"s{case.number}"),
    "keep_frame": _framed,
    "name_jobs": lambda case: case.actions.name_jobs([]),
    "check_now": lambda case: case.actions.check_now(case.job(SUBMITTED)),
    "rescue": lambda case: case.actions.rescue(),
    "send_left": lambda case: case.actions.send_left(),
    "withdraw_left": lambda case: case.actions.withdraw_left(),
    "newest_drafts": lambda case: case.actions.newest_drafts(browser="b", most=1),
    "open_draft": lambda case: case.actions.open_draft(case.draft(), browser="b"),
    "save_draft": lambda case: case.actions.save_draft(case.draft(), browser="b", fields={"prompt": "A fox"}),
    "take_drafts_of": lambda case: case.actions.take_drafts_of("b"),
    "preview_camera": lambda case: case.actions.preview_camera(
        CameraControl(type="simple", config={"zoom": 99.0}), aspect_ratio="16:9", browser="b"
    ),
    "preview_cut": lambda case: case.actions.preview_cut(
        [Shot(prompt="", duration="99")], aspect_ratio="16:9", negative_prompt="", browser="b"
    ),
    "ask_assistant": _asked,
    "add_template": lambda case: case.actions.add_template(
        FOX, title=f"T{case.number}", category="", teaches=""
    ),
    "change_template": lambda case: case.actions.change_template(case.template(), title=f"U{case.number}"),
    "delete_template": lambda case: case.actions.delete_template(case.template()),
    "resume": lambda case: case.actions.resume(),
    "check_connection": lambda case: case.actions.check_connection(),
    "scan_account": lambda case: case.actions.scan_account(),
    "ask_for_packs": lambda case: case.actions.ask_for_packs(),
    "take_in": lambda case: case.actions.take_in([]),
    "add_person": lambda case: case.actions.add_person(f"New {case.number}", "maker"),
    "set_role": lambda case: case.actions.set_role(case.person(), "maker"),
    "remove_person": lambda case: case.actions.remove_person(case.person()),
    "take_back_person": _removed,
    "invite": lambda case: case.actions.invite(case.person()),
    "withdraw_invitation": lambda case: case.actions.withdraw_invitation(case.person()),
    "end_session": lambda case: case.actions.end_session(case.person(), "none"),
    "end_sessions": lambda case: case.actions.end_sessions(case.person()),
    "give_name": lambda case: case.actions.give_name(f"Old {case.number}", case.person()),
    "take_back_name": lambda case: case.actions.take_back_name("Old"),
    "set_limit": lambda case: case.actions.set_limit(Scope.TEAM_MONTH, "1000000", "units"),
    "lift_limit": lambda case: case.actions.lift_limit(Scope.CLIP, person_id=case.person()),
    "remove_limit": lambda case: case.actions.remove_limit(Scope.TEAM_MONTH),
    "add_collection": lambda case: case.actions.add_collection(f"C{case.number}"),
    "change_collection": _renamed,
    "collect": lambda case: case.actions.collect(case.collection(), [case.job(WAITING)]),
    "uncollect": lambda case: case.actions.uncollect(case.collection(), ["none"]),
    "move_in_collection": lambda case: case.actions.move_in_collection(case.collection(), ["none"]),
    "take_away": lambda case: case.actions.take_away([case.clip()]),
    "take_film": _taken_film,
    "shares": lambda case: case.actions.shares(),
    "export": lambda case: list(case.actions.export(JobQuery(text="nothing"))),
    "read_import": lambda case: case.actions.read_import(b"external_task_id,time,state,extra\n"),
    "import_jobs": lambda case: case.actions.import_jobs(ImportPlan("export", {})),
    "undo_import": lambda case: case.actions.undo_import("none"),
    "export_audit": lambda case: list(case.actions.export_audit()),
}
ACTS = {**OF_A_JOB, **OF_NOBODY}


class Trial:
    """A studio with one person of each role, and somebody whose things are others'."""

    def __init__(self, folder: Path) -> None:
        self._bench = Bench(folder)
        self._bench.held = []  # what is handed over is not sent
        people = self._bench.studio.state.people
        self._users: dict[Role, User] = {"none": User("", "", "none")}
        for name, role in {"Vera": "viewer", "Mia": "maker", "Ada": "admin"}.items():
            person = people.add(name, role)
            self._users[person.role] = person.user
        self._stranger = people.add("Stranger", "maker").id
        self._numbers = count(1)

    def is_allowed(self, method: str, role: Role, whose: str) -> bool:
        """Whether a call by a role is not refused; whatever else it raises is a failure of the test."""
        user = self._users[role]
        owner = self._stranger if whose == "other" or not user.id else user.id
        try:
            ACTS[method](Case(self._bench, user, owner, next(self._numbers)))
        except NotAllowed:
            return False
        return True

    def may(self, action: Action, role: Role, whose: str) -> bool:
        """What the roles themselves say."""
        user = self._users[role]
        return may(user, action, self._stranger if whose == "other" else user.id)

    def close(self) -> None:
        self._bench.studio.stop()


def action_of(method: str) -> Action:
    """Return the action that a method of `Actions` asks the roles about."""
    found = re.search(
        r"(?:check\(self\.user, |_check_all\()Action\.(\w+)", inspect.getsource(getattr(Actions, method))
    )
    assert found is not None, method
    return Action[found[1]]


def table(folder: Path) -> Iterator[str]:
    """Yield the lines of README's table: each action as all of its methods answer.

    Args:
        folder: an empty one for the studio.
    """
    trial = Trial(folder)
    methods: dict[Action, list[str]] = {}
    for method in ACTS:
        methods.setdefault(action_of(method), []).append(method)
    yield f"| | {' | '.join(COLUMNS)} |"
    yield f"| --- |{' --- |' * len(COLUMNS)}"
    rows: dict[tuple[str, ...], list[str]] = {}
    for action in Action:
        cells = []
        for role, whose in COLUMNS.values():
            said = trial.may(action, role, whose)
            tried = [each for each in methods.get(action, ()) if whose == "own" or each in OF_A_JOB]
            assert all(trial.is_allowed(each, role, whose) is said for each in tried), (action, role, whose)
            cells.append("yes" if said else "no")
        rows.setdefault(tuple(cells), []).append(action.value)
    for answers, actions in rows.items():
        yield f"| {', '.join(actions)} | {' | '.join(answers)} |"
    trial.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.writelines(f"{line}\n" for line in table(Path(folder)))


if __name__ == "__main__":
    main()
