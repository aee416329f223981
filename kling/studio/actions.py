"""Everything that a person can change, as one user: each method asks the roles first, and the audit notes it.

Pages and routes change nothing past it. Its parts stand beside each other, each on `actions_base.py`:

    draft_actions    before an order: drafts, previews, the assistant, templates
    order_actions    until Kling has it: order, withdraw, give up, send again
    library_actions  jobs that were ordered: stars, tags, notes, hide, delete, export and import
    gallery_actions  clips that belong together: collections, shares, copies to take away
    admin_actions    what only admins do: the account, people, budgets, names of the log
"""

from __future__ import annotations

from kling.studio.admin_actions import AdminActions
from kling.studio.draft_actions import DraftActions
from kling.studio.gallery_actions import GalleryActions
from kling.studio.library_actions import LibraryActions
from kling.studio.order_actions import OrderActions

__all__ = ["Actions"]


class Actions(DraftActions, OrderActions, LibraryActions, GalleryActions, AdminActions):
    """What one user can change; made by `Studio.acting_as` for each action, so that the role is that of now.

    Every method may raise `NotAllowed`, which says in words what it takes; nothing has changed then.
    """
