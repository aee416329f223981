"""What `actions` needs of a studio, which makes the actions, so that `Studio` cannot be named there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kling.endpoint import AnyRequest
from kling.studio.account_packs import AccountPacks
from kling.studio.archive import Archive
from kling.studio.assistant.assistant import Assistant
from kling.studio.budgets import Budgets
from kling.studio.changes import Changes
from kling.studio.connection_check import Check
from kling.studio.deletion import Deletions
from kling.studio.films.store import Films
from kling.studio.jobs import Job
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.library import Library
from kling.studio.library.imports import Imports
from kling.studio.orders import Orders, Press
from kling.studio.pictures.store import Pictures
from kling.studio.prompting.previews import Previews
from kling.studio.settings import Settings
from kling.studio.state.shared import SharedState


class Parts(Protocol):
    """The parts and the methods of a studio that people's actions use; `Studio` describes them."""

    settings: Settings
    ledger: CsvLedger
    archive: Archive
    orders: Orders
    state: SharedState
    previews: Previews
    budgets: Budgets
    packs: AccountPacks
    assistant: Assistant
    changes: Changes
    deletions: Deletions
    imports: Imports
    library: Library
    pictures: Pictures
    films: Films

    def order_all(self, requests: Sequence[AnyRequest], press: Press) -> list[Job]:
        """Order everything that one press asks for."""

    def now(self) -> float:
        """Return the time of day in Unix seconds."""

    def resume(self) -> None:
        """End all holds."""

    def scan_account(self) -> None:
        """Compare the account with the log."""

    def take_in(self, task_ids: Sequence[str]) -> int:
        """Take in tasks that a scan found."""

    def check_now(self, job_id: str) -> bool:
        """Ask Kling about a job soon."""

    def rescue(self) -> int:
        """Try at once to fetch every clip that is not here."""

    def check_connection(self) -> Check:
        """Check the account and the host of its videos."""
