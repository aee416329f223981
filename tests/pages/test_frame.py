"""The frame of every page: titles of tabs, the account menu, banners, words, and one set of colours."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.jobs import STATES
from kling.studio.service import Studio
from kling.text_to_video import TextToVideo
from pages._ui import words
from pages._ui.format import first_sentence
from pages._ui.frame.bar import running_words
from pages._ui.frame.titles import LONGEST, first_words
from pages._ui.people import COLOURS, circle, colour_of, initials
from tests.pages.conftest import rows_of, texts
from tests.pages.test_lists import links, open_page
from tests.pages.test_pages import fill

ROOT = Path(__file__).parents[2]
TOKENS = ROOT / "pages/_ui/style/tokens.css"
WHITE_AND_BLACK = {"#fff", "#ffffff", "#000"}  # words on filled grounds; masks
HOSTILE_PAGES = ("0", "-3", "1e9", "²", "٣", "x" * 50, "9" * 400, "<b>")


def tokens() -> dict[str, tuple[str, str]]:
    """Return the light and the dark colour of each token that has two."""
    found = re.findall(r"--([a-z0-9-]+): light-dark\((#\w+), (#\w+)\)", TOKENS.read_text(encoding="utf-8"))
    return {name: (light, dark) for name, light, dark in found}


def plain_colours(sheet: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): (#\w{6});", sheet))


@pytest.mark.parametrize("number", [0, 1], ids=["light", "dark"])
def test_the_theme_has_the_colours_of_the_tokens(number: int):
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))["theme"]
    given = {name: pair[number] for name, pair in tokens().items()}
    assert theme[("light", "dark")[number]] == {
        "primaryColor": given["fill"],
        "backgroundColor": given["bg"],
        "secondaryBackgroundColor": given["sunken"],
        "textColor": given["text"],
        "borderColor": given["line2"],
        "linkColor": given["acc"],
    }


def test_the_pages_for_signing_in_have_the_colours_of_the_tokens():
    sheet = (ROOT / "pages/_ui/routes/public/style.css").read_text(encoding="utf-8")
    light, dark = (plain_colours(part) for part in sheet.split("@media")[:2])
    shared = {name: {"hover": "fill-hover"}.get(name, name) for name in light if name in dark}
    assert len(shared) > 15
    assert {name: (light[name], dark[name]) for name in shared} == {
        name: tokens()[token] for name, token in shared.items()
    }


def test_colours_stand_in_the_tokens_alone():
    for sheet in TOKENS.parent.glob("*.css"):
        colours = set(re.findall(r"#[0-9a-f]{3,6}\b", sheet.read_text(encoding="utf-8")))
        assert sheet == TOKENS or colours <= WHITE_AND_BLACK, sheet.name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A red fox", "A red fox"),
        ("A red fox\n  in the snow", "A red fox in the snow"),
        (
            "A lighthouse high above the ocean at the end of the day",
            "A lighthouse high above the ocean at the…",
        ),
        ("x" * 100, "x" * LONGEST + "…"),
    ],
)
def test_a_title_has_the_first_whole_words_of_a_prompt(text: str, shown: str):
    assert first_words(text) == shown


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Anna Becker", "AB"), ("mia", "M"), ("Jo van der Berg", "JB"), ("", ""), ("*b* <i>", "*<")],
)
def test_initials_are_those_of_the_first_and_the_last_name(name: str, letters: str):
    assert initials(name) == letters


def test_a_person_has_one_colour_however_the_name_is_typed():
    assert colour_of("Anna Becker") == colour_of("ANNA becker")
    assert {colour_of(f"Name {number}") for number in range(40)} == set(range(COLOURS))


def test_a_name_with_markup_is_text_on_its_circle():
    assert "<b" not in circle("<b >x")


def test_the_bar_counts_what_is_made_and_what_waits():
    assert running_words(0, 0) == ""
    assert running_words(2, 0) == "2 being made"
    assert running_words(1200, 3) == "1,200 being made · 3 waiting"


def test_every_state_and_every_field_has_a_word_of_its_own():
    assert set(words.STATES) == set(STATES)
    assert len({word for word, _, _ in words.STATES.values()}) == len(STATES)
    shown_elsewhere = {"multi_prompt", "shot_type"}
    assert set(TextToVideo.FIELDS) - shown_elsewhere <= set(words.FIELDS)


def test_the_bar_leads_to_the_pages_and_the_menu_to_admin(tab: AppTest):
    open_page(tab, "gallery.py")
    assert links(tab)[:6] == ["Compose", "History", "Gallery", "Spend", "Sharing", "Admin"]
    assert [title.value for title in tab.title] == ["Gallery"]


def test_a_wrong_number_of_a_page_in_the_address_opens_one_that_is_there(studio: Studio, tab: AppTest):
    fill(studio, 120)
    for page in HOSTILE_PAGES:
        open_page(tab, "history.py", page=page)
        assert len(rows_of(tab)) in {50, 20}, page


def test_a_link_back_to_the_list_keeps_its_page(studio: Studio, tab: AppTest):
    fill(studio, 120)
    open_page(tab, "history.py", page="2", task="job0003")
    back = [link.proto.query_string for link in tab.get("page_link") if link.proto.label == "History"]
    assert back == ["", "page=2"]  # of the bar, and of the page


def test_resume_answers_in_place(studio: Studio, tab: AppTest):
    studio.admission.hold("*", "The Kling resource pack is used up.", 1102, needs_person=True)
    open_page(tab, "history.py")
    assert "<b>Held: The Kling account has no Units left.</b>" in texts(tab)
    assert "Top up at Kling" in links(tab)
    tab.button(key="app.resume-1102").click().run()
    assert "Resumed." in texts(tab)
    assert "Held" not in texts(tab)


def test_beside_another_banner_all_that_a_hold_says_can_be_unfolded(studio: Studio, tab: AppTest):
    studio.admission.hold("*", "The disk is full.", -1)
    open_page(tab, "history.py")
    assert "<summary>" not in texts(tab)
    assert "It is tried again by itself." in texts(tab)
    fill(studio, 2, state="not_sent")
    tab.run()
    folded = texts(tab).partition("</summary>")[2]
    assert "It is tried again by itself.</p>" in folded


def test_what_waits_for_somebody_to_act_is_called_held_everywhere(studio: Studio, tab: AppTest):
    fill(studio, 1, state="waiting")
    open_page(tab, "history.py")
    assert [row["word"] for row in rows_of(tab)] == ["Waiting"]
    studio.admission.hold("*", "The Kling resource pack is used up.", 1102, needs_person=True)
    tab.run()
    assert [row["word"] for row in rows_of(tab)] == ["Held"]
    open_page(tab, "job.py", id="job0000")
    assert "Held</span>" in texts(tab)


@pytest.mark.parametrize(
    ("text", "first", "rest"),
    [
        ("Kling is busy. Try again later. Or not.", "Kling is busy.", "Try again later. Or not."),
        ("Kling is busy.", "Kling is busy.", ""),
        ("", "", ""),
    ],
)
def test_a_banner_shows_the_first_sentence_and_folds_the_rest(text: str, first: str, rest: str):
    assert first_sentence(text) == (first, rest)
