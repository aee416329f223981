"""Scripts and style sheets of the pages: sent once, compressed, and kept by browsers until they change."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages._ui.routes import assets, page_html
from pages._ui.scripts.assets import kept_by_browsers, lean_script, lean_sheet, loader
from pages._ui.style.sheet import sheet_of_every_page
from tests.pages.conftest import ROOT

SCRIPT = "// of nobody\n  export default () => 1; // kept\n\n"


def server() -> TestClient:
    return TestClient(Starlette(routes=[*assets.routes(), *page_html.routes()]))


def test_a_browser_keeps_a_script_and_asks_again_once_it_has_changed():
    address, another = kept_by_browsers("x.js", SCRIPT), kept_by_browsers("x.js", SCRIPT + "1;")
    answer = server().get(address)
    assert answer.text == "export default () => 1; // kept"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert another != address == kept_by_browsers("x.js", SCRIPT)


def test_what_nobody_has_named_is_not_there_and_not_kept():
    answer = server().get("/assets/x-0123456789abcdef.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


def test_a_component_is_told_a_few_lines_and_nothing_of_its_script():
    words = loader("x", SCRIPT)
    assert kept_by_browsers("x.js", SCRIPT) in words
    assert len(words) < 500
    assert "=> 1" not in words


def test_a_page_has_its_style_before_streamlit_draws_anything():
    html = server().get("/gallery").text
    (address,) = re.findall(r'<link rel="stylesheet" href="(/assets/[^"]+)">\s*</body>', html)
    assert address == sheet_of_every_page()
    answer = server().get(address)
    assert answer.headers["content-type"].startswith("text/css")
    assert ".st-key-bar" in answer.text
    assert 'id="root"' in html


def test_a_script_loses_only_its_comments_and_indents():
    """A text over several lines would lose more: none has one."""
    for path in (ROOT / "pages/_ui").rglob("*.js"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if line.count("`") % 2], path
    assert lean_script("a\n  // b\nc // d\n") == "a\nc // d"
    assert lean_sheet("a { /* b\n */ c: d; }\n\n  e {}") == "a { c: d; } e {}"
