"""What only admins change: people, sessions, budgets, names of the log, and what concerns the account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kling.studio.actions_base import ActionsBase
from kling.studio.budget_limits import Scope
from kling.studio.connection_check import Check
from kling.studio.identity.roles import Action, Role, check
from kling.studio.visible_names import visible

if TYPE_CHECKING:
    from kling.studio.identity.people import Person


class AdminActions(ActionsBase):
    """The part of `Actions` that takes an admin."""

    # -- the account ---------------------------------------------------------------------------------------

    def resume(self) -> None:
        """End all holds now; see `Studio.resume`."""
        check(self.user, Action.RESUME)
        self._studio.resume()
        self._note(Action.RESUME)

    def scan_account(self) -> None:
        """Compare the account with the log now; see `AccountScan`."""
        check(self.user, Action.RECONCILE)
        self._studio.scan_account()
        self._note(Action.RECONCILE)

    def take_in(self, task_ids: Sequence[str]) -> int:
        """Take in tasks that a scan found; see `AccountScan.take_in`."""
        check(self.user, Action.IMPORT)
        count = self._studio.take_in(task_ids)
        self._note(Action.IMPORT, tasks=count)
        return count

    def check_connection(self) -> Check:
        """Check the account and the host of its videos, free of charge; see `Studio.check_connection`."""
        check(self.user, Action.CHECK_CONNECTION)
        found = self._studio.check_connection()
        self._note(Action.CHECK_CONNECTION, ok=found.ok)
        return found

    def ask_for_packs(self) -> None:
        """Ask Kling again what is left of the account's packs, which is free; see `AccountPacks.request`."""
        check(self.user, Action.SEE_ACCOUNT)
        self._studio.packs.request()

    # -- people --------------------------------------------------------------------------------------------

    def add_person(self, name: str, role: Role) -> Person:
        """Add a named account; see `People.add`. Nobody can sign in with it before an invitation is used."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="added", name=visible(name), role=role)
        return self._studio.state.people.add(name, role, note=note)

    def set_role(self, person_id: str, role: Role) -> Person:
        """Change what a person may do, from their next action on; see `People.set_role`."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="role", role=role)
        return self._studio.state.people.set_role(person_id, role, note=note)

    def remove_person(self, person_id: str) -> None:
        """Remove a person and end their sessions; what they made stays. See `People.remove`."""
        check(self.user, Action.MANAGE_PEOPLE)
        self._studio.state.people.remove(person_id, note=self._entry(Action.MANAGE_PEOPLE, did="removed"))

    def take_back_person(self, person_id: str) -> None:
        """Undo the removal of a person; see `People.take_back`."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="removal undone")
        self._studio.state.people.take_back(person_id, note=note)

    def invite(self, person_id: str) -> str:
        """Make an invitation, whose link sets a password once; return its token. See `Invitations.make`."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="invited")
        return self._studio.state.invitations.make(person_id, self.user.name, note=note)

    def withdraw_invitation(self, person_id: str) -> None:
        """Make the open invitation of a person useless."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="invitation withdrawn")
        self._studio.state.invitations.withdraw(person_id, note=note)

    def end_session(self, person_id: str, session_id: str) -> None:
        """End one session of a person; its open pages leave at once."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="session ended")
        self._studio.state.sessions.end_by_id(person_id, session_id, note=note)

    def end_sessions(self, person_id: str) -> None:
        """End all sessions of a person; their open pages leave at once."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="sessions ended")
        self._studio.state.sessions.end_all(person_id, note=note)

    # -- budgets -------------------------------------------------------------------------------------------

    def set_limit(self, scope: Scope, number: str, unit: str, *, person_id: str = "") -> None:
        """Set a limit of the account in use; see `Budgets.set`."""
        check(self.user, Action.SET_BUDGETS)
        note = self._entry(Action.SET_BUDGETS, limit=scope.value, amount=number.strip(), unit=unit)
        self._studio.budgets.set(scope, number, unit, person_id=person_id, note=note)

    def lift_limit(self, scope: Scope, *, person_id: str) -> None:
        """Let one person order without the limit for everybody; see `Budgets.lift`."""
        check(self.user, Action.SET_BUDGETS)
        note = self._entry(Action.SET_BUDGETS, limit=scope.value, did="lifted")
        self._studio.budgets.lift(scope, person_id=person_id, note=note)

    def remove_limit(self, scope: Scope, *, person_id: str = "") -> None:
        """Remove a limit of the account in use; see `Budgets.remove`."""
        check(self.user, Action.SET_BUDGETS)
        note = self._entry(Action.SET_BUDGETS, limit=scope.value, did="removed")
        self._studio.budgets.remove(scope, person_id=person_id, note=note)

    # -- names of the log that belong to no account --------------------------------------------------------

    def give_name(self, name: str, person_id: str) -> None:
        """Give the jobs under a name of the old log to a person; `take_back_name` undoes it."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="name given", name=name)
        self._studio.state.names.give(name, person_id, self.user.name, note=note)

    def take_back_name(self, name: str) -> None:
        """Let the jobs under a name of the old log belong to nobody again."""
        check(self.user, Action.MANAGE_PEOPLE)
        note = self._entry(Action.MANAGE_PEOPLE, did="name taken back", name=name)
        self._studio.state.names.take_back(name, note=note)

    # -- exports -------------------------------------------------------------------------------------------

    def export_audit(self) -> Iterator[str]:
        """Return the audit as lines of CSV; the export is noted in it."""
        check(self.user, Action.SEE_AUDIT)
        self._note(Action.SEE_AUDIT, did="exported")
        return self._studio.state.audit.export()
