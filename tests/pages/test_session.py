"""What a session holds, who may read who somebody is, and the one way from a page to the queue."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.identity.roles import LOCAL, User
from kling.studio.service import Studio
from pages._ui import current_user
from pages._ui.composer.draft_state import WIDGETS, key
from pages._ui.panels import FORM_PANELS, panel_key
from pages._ui.routes.cookies import BROWSER_COOKIE
from pages._ui.session_state import AdminState, AppState, ComposerState
from tests.pages.conftest import ROOT, press_generate
from tests.pages.people import forget_cookies
from tests.pages.test_composer import pick, unfold
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill
from tests.pages.test_panels import press

PAGES = ROOT / "pages"
STATES = {"composer": ComposerState, "app": AppState, "admin": AdminState}
WIDGETS_OF_THE_DRAFT = {key(name) for name in WIDGETS} | {
    key(f"{part}_{number}") for part in ("shot", "seconds") for number in (1, 2)
}
OTHER_WIDGETS = (
    r"app\.(name\w*|chime|check_connection)",
    # components of live parts
    r"live\.(header|tasks|history|gallery|totals|spend|budget|packs|job|compare|collections?|sharing)",
    r"app\.bar-\d",  # links
    r"app\.remember-search",  # the component that keeps it
    r"viewer\.lightbox",  # the component of every page
    r"compare\.view",  # the component that plays several
    r"taking",  # the component that says how far downloads are
    r"(collections|collection|sharing)\.(script|new|wall|share|more\w*|edit|delete|(renew|end)-\w+)",
    r"stage\.\w+",  # what is done with the job on the stage
    r"composer\.(autosave|dropped|pictures)",  # the components, and their triggers
    # buttons
    r"composer\.((tool|panel|done)_\w+|go_back|undo|generate-.+|make_variations|send_as_typed|save_template)",
    r"composer\.(automatic_cuts|recent_.+)",
    r"composer\.(part|idea|open_ideas)_\w+",  # the guide
    r"composer\.compare_with",
    r"composer\.rows_[0-9a-f]{16}",  # the table of variations, by its content
    r"composer\.(open_cut|open_board_text|(add|spread)_shots?|(earlier|later|split|remove)_shot_\d)",
    r"composer\.(shelf|library_query|library_category|all_templates|use-.+)",  # the dialog "Templates"
    r"composer\.(download|copy)-\w+|composer\.pasted|composer\.fill",  # the dialog "Take it elsewhere"
    r"(history|gallery)\.(search|filters|list|wall|rescue|(open|switch)-\w+|page\w*)",  # the bar, the list
    r"spend\.(links|days|hours|earlier|later|range-.+|dates|by|by_hour|model|export|elsewhere|this_\w+)",
    r"spend\.(open_comparison|compare_now)",
    r"\w+\.(withdraw|send|again|download)-.+",  # buttons of a job
    r"job\.(details|more|keys|whole_family|sound|(rating|again)-.+)",
    r"job\.(star|hide|tags|note|check|delete|collect|share)\w*",
    r"admin\.(section|import_\w+|ask_packs|copy_link|hide_link|audit_\w+|(amount|unit|limits|save)-\w+)",
)

# The module that reads it for pages; a list of other people's sessions; the gate and the ways in.
MAY_READ = re.compile(
    r"_ui/current_user\.py|_ui/admin/sessions\.py"
    r"|_ui/routes/(cookies|gate|invited|new_session|oidc\w*|proxy|sign_(in|out)\w*|who_asks)\.py"
)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in PAGES.glob("**/*.py"):
        yield str(path.relative_to(PAGES)), ast.parse(path.read_text(encoding="utf-8"))


def test_every_key_of_a_session_has_a_name_that_says_whose_it_is(studio: Studio, app: AppTest):
    pick(app, "model", "kling-v3")
    pick(app, "prompt", "A {red|grey} fox")
    pick(app, "cut", "customize")
    unfold(app, *FORM_PANELS)
    for label in ("Recent", "Templates", "Export as code"):
        press(app, label)
    pick(app, "cut", "one shot")
    app.button(key="composer.send_as_typed").click().run()
    pick(app, "variations", True)
    press_generate(app)
    seen: set[str] = set(app.session_state)
    fill(studio, 2, state="succeed", file="a.mp4")
    anna = studio.acting_as(User(LOCAL, "Anna", "admin"))
    anna.share(["job0000"])
    collection = anna.add_collection("Spring", clips=["job0000"])
    for page in sorted(path.name for path in PAGES.glob("[!_]*.py") if path.name != "main.py"):
        seen |= set(open_page(app, page).session_state)
    of_one = {"job.py": "job0000", "clip_collections.py": collection.id}
    for page, which in of_one.items():
        seen |= set(open_page(app, page, id=which).session_state)
    seen |= set(open_page(app, "compare.py", ids="job0000,job0001").session_state)
    for section in ("people", "sessions", "budgets", "account", "health", "import", "audit", "names"):
        app.session_state["admin.section"] = section
        seen |= set(open_page(app, "admin.py").session_state)
    named = {*STATES, *WIDGETS_OF_THE_DRAFT, *map(panel_key, FORM_PANELS)}
    others = {name for name in seen - named if not any(re.fullmatch(form, name) for form in OTHER_WIDGETS)}
    assert others == set()
    assert seen >= named
    assert all(type(app.session_state[name]) is kind for name, kind in STATES.items())


def test_only_one_module_of_the_pages_reads_who_somebody_is():
    """Neither cookies, nor the name that was typed, nor the token of a session is read elsewhere."""
    secret = {
        current_user.NAME_FIELD,
        current_user.NAME_COOKIE,
        current_user.CHIME_COOKIE,
        current_user.ASKED_COOKIE,
        BROWSER_COOKIE,
    }
    found = {
        f"{name}:{node.lineno}"
        for name, module in modules()
        for node in ast.walk(module)
        if not MAY_READ.fullmatch(name)
        and (
            (isinstance(node, ast.Attribute) and node.attr in {"cookies", "token", "browser"})
            or (isinstance(node, ast.Constant) and node.value in secret)
            or (isinstance(node, ast.Subscript) and "NAME_FIELD" in ast.unparse(node.slice))
        )
    }
    assert found == set()


def test_the_name_is_the_one_that_was_typed_and_there_is_one_local_user(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
):
    forget_cookies(monkeypatch)

    def read() -> None:
        import streamlit as st

        from pages._ui.current_user import current_user

        user = current_user()
        st.text(f"{user.id} / {user.name} / {user.role}")

    page = AppTest.from_function(read).run()
    assert page.text[0].value == "local /  / admin"
    page.session_state[current_user.NAME_FIELD] = "Grace Hopper"
    assert page.run().text[0].value == "local / Grace Hopper / admin"
    assert not app.exception


def test_every_order_of_a_page_goes_through_one_function():
    calls = {
        (name, node.func.attr)
        for name, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "order_all"
    }
    assert calls == {("_ui/place_order.py", "order_all")}


def test_what_an_order_needs_is_read_before_it_is_made_and_the_list_is_stored_with_the_draft(
    studio: Studio, app: AppTest
):
    pick(app, "prompt", "A fox")
    press_generate(app)
    (job,) = studio.ledger.jobs()
    state: ComposerState = app.session_state.composer
    assert state.jobs == [job.id]
    stored = studio.state.drafts.load(state.draft_id)
    assert stored is not None
    assert stored.made == (job.id,)
