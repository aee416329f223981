"""The entry script that app.py names: the bar and the banners around every page."""

from __future__ import annotations

import streamlit as st

from kling.studio.changes import NOTICE
from kling.studio.identity.roles import Action, User, may
from pages._ui import current_user
from pages._ui.composer.draft_state import drop_stale_edits
from pages._ui.errors import readable
from pages._ui.frame.banners import banners
from pages._ui.frame.bar import bar
from pages._ui.frame.titles import STUDIO, title_of
from pages._ui.job.address import lead_on
from pages._ui.live import live_fragment, page_is_old_when
from pages._ui.session_state import app_state
from pages._ui.signed_out import leave
from pages._ui.taking.script import taking
from pages._ui.viewer.lightbox import lightbox


def main() -> None:
    st.set_page_config(page_title=STUDIO, page_icon="🎬", layout="wide")
    user = current_user.current_user()
    if user.role == "none":
        leave()
        return
    pages = pages_of(user)
    page = st.navigation(pages, position="hidden")
    st.set_page_config(page_title=title_of(page.title))
    if page.title == "History":
        lead_on()
    with readable():
        bar(user, [each for each in pages if each.visibility == "visible"], page)
        live_fragment(banners, "header", concerns=lambda: [NOTICE], on_stale_page=drop_stale_edits)
        if words := app_state().led_here:
            app_state().led_here = ""
            st.toast(words, icon=":material/lock:", duration="long")
        lightbox()  # before the page: links on it can be pressed as soon as they are there
        page_is_old_when(lambda: False)  # unless the page knows better
        with st.container(key="page"):
            page.run()
        taking()


def pages_of(user: User) -> list[st.Page]:
    """Return every page, those that stand in the bar as visible.

    A page that is not for this user says so in words; the account menu leads to Admin.
    """
    return [
        st.Page(
            "compose.py",
            title="Compose",
            icon=":material/edit_square:",
            default=True,
            visibility="visible" if may(user, Action.ORDER) else "hidden",
        ),
        st.Page("history.py", title="History", icon=":material/history:"),
        st.Page("gallery.py", title="Gallery", icon=":material/photo_library:"),
        st.Page(
            "spend.py",
            title="Spend",
            icon=":material/bar_chart:",
            visibility="visible" if may(user, Action.SEE_PRICES) else "hidden",
        ),
        st.Page(
            "clip_collections.py",
            title="Collections",
            icon=":material/library_add:",
            url_path="collections",
            visibility="hidden",
        ),
        st.Page("sharing.py", title="Sharing", icon=":material/ios_share:", visibility="hidden"),
        st.Page("compare.py", title="Compare", icon=":material/compare:", visibility="hidden"),
        st.Page("job.py", title="Job", icon=":material/movie:", visibility="hidden"),
        st.Page("admin.py", title="Admin", icon=":material/admin_panel_settings:", visibility="hidden"),
    ]


main()
