"""Scripts and style sheets of the pages: sent once, compressed, and kept by browsers until they change."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from kling.studio.assistant.assistant import Assistant
from kling.studio.assistant.settings import AssistantSettings
from kling.studio.service import Studio
from pages._ui.routes import assets, page_html
from pages._ui.scripts.assets import kept_by_browsers, lean_script, lean_sheet, loader, loads
from pages._ui.style.sheet import sheet_of_every_page
from tests.pages.conftest import ROOT
from tests.pages.people import open_app
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill

SCRIPT = "// of nobody\n  export default () => 1; // one\n\n"


def server() -> TestClient:
    return TestClient(Starlette(routes=[*assets.routes(), *page_html.routes()]))


def test_a_browser_keeps_a_script_and_asks_again_once_it_has_changed():
    address, another = kept_by_browsers("x.js", SCRIPT), kept_by_browsers("x.js", SCRIPT + "1;")
    answer = server().get(address)
    assert answer.text == "export default () => 1;"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    plain = server().get(address, headers={"Accept-Encoding": "identity"})
    assert (answer.headers["content-encoding"], plain.headers.get("content-encoding")) == ("gzip", None)
    assert plain.text == answer.text
    assert another != address == kept_by_browsers("x.js", SCRIPT)


def test_what_nobody_has_named_is_not_there_and_not_kept():
    answer = server().get("/assets/x-0123456789abcdef.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


def test_a_component_is_told_two_lines_and_nothing_of_its_script():
    words = loader("x", SCRIPT)
    assert kept_by_browsers("x.js", SCRIPT) in words
    assert len(words) < 160
    assert "=> 1" not in words


def test_a_page_has_its_style_before_streamlit_draws_anything():
    html = server().get("/gallery").text
    (address,) = re.findall(r'<link rel="stylesheet" href="(/assets/[^"]+)"><script>window', html)
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
    assert lean_script("a\n  // b\n//\nc // d\n") == "a\nc"
    assert lean_script("a(' // b'); // c\n") == "a(' // b');"
    assert lean_sheet("a, b > d :c { /* b\n */ c: d; }\n\n  e {}") == "a,b>d :c{c:d;}e{}"
    assert lean_sheet("a::before { content: ', : {'; }") == "a::before{content:', : {';}"


def test_a_first_visit_of_compose_is_sent_at_most_60_kb_of_our_scripts_and_styles(studio: Studio):
    studio.assistant = Assistant(AssistantSettings(url="https://llm.example.com/v1", model="m"))
    parts = [each.proto for each in open_app().get("bidi_component")]
    told = [text for part in parts for text in (part.js_content, part.html_content, part.css_content)]
    drawn = {part.component_name for part in parts}
    assert {"studio_stage", "studio_live", "studio_assistant"} <= drawn
    named = {name for text in told for name in re.findall(r'"(/assets/[^"]+)"', text)}
    sent = len(loads()) + sum(len(text.encode()) for text in told)
    with server() as browser:
        for address in (*named, sheet_of_every_page()):
            with browser.stream("GET", address) as answer:
                sent += sum(map(len, answer.iter_raw()))
    assert sent < 60_000


def test_a_script_brings_the_style_of_all_that_it_draws(studio: Studio, tab: AppTest):
    """Else a page looks right only after a visit of another one."""
    fill(studio, 2, state="succeed", file="a.mp4")
    page_sheet = server().get(sheet_of_every_page()).text
    sheets = [path.read_text(encoding="utf-8") for path in (ROOT / "pages/_ui/style").glob("*.css")]
    styled = set(re.findall(r"[.]([a-z]+(?:-[a-z]+)+)", "".join(sheets)))
    drawn, addresses = set(), [address for page in PAGES for address in scripts_of(tab, page)]
    while addresses:
        script = server().get(addresses.pop()).text
        addresses += re.findall(r'"(/assets/[^"]+)"', script)
        own = page_sheet + (script.partition("replaceSync(")[2].partition(");\n")[0])
        for words in re.findall(r'make\("\w+", "([^"]+)"|class(?:Name: |Name = |=)\\?"([^"\\]+)', script):
            for name in "".join(words).split():
                drawn.add(name)
                assert name not in styled or f".{name}" in own, name
    assert {"lib-menu", "lib-bar", "wall-menu", "viewer-menu"} <= drawn


PAGES = ("history.py", "gallery.py", "compare.py", "job.py")


def scripts_of(tab: AppTest, page: str) -> list[str]:
    """Return the addresses of the scripts that a page loads."""
    open_page(tab, page, id="job0000")
    told = [part.proto.js_content for part in tab.get("bidi_component")]
    return sorted({name for text in told for name in re.findall(r'"(/assets/[^"]+)"', text)})
