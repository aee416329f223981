"""A question and the address of its page say the same; an address may be anybody's."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from kling.studio.library import PARAMETERS, JobQuery
from tests.kling.tools import law
from tests.studio.library.test_search import QUERIES

VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["0", "-1", "1e9", "9" * 50, "٣", "true", "1", "2026-02-30", "0000-00-00", "NaN", "Infinity"]
    ),
    st.sampled_from(["succeed,failed", ",,,", "a" * 5000, "x\x00y", "\ud800", "2026-11-26", "newest", "all"]),
    st.lists(st.text(max_size=5), max_size=3),
    st.none(),
    st.integers(),
)


@law
@given(QUERIES, st.integers(1, 500))
def test_a_question_comes_back_from_its_address(query, page):
    query = query.with_page(page)
    address = urlencode(query.to_address())
    assert JobQuery.of_address(dict(parse_qsl(address, keep_blank_values=True))) == query


@law
@given(st.dictionaries(st.one_of(st.sampled_from(sorted(PARAMETERS)), st.text(max_size=5)), VALUES))
def test_any_address_is_a_question_that_has_an_address(address):
    query = JobQuery.of_address(address)
    assert JobQuery.of_address(query.to_address()) == query
    assert query.to_address().keys() <= PARAMETERS
    shown = "".join(query.to_address().values())
    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cs"}]


def test_a_hostile_address_gives_the_defaults():
    address = {
        "q": "\x00\x00",
        "state": "favourite,drop table",
        "from": "2026-02-30",
        "to": "yesterday",
        "min": "1e999999999",
        "max": "-1",
        "star": "all of them",
        "rating": "6",
        "risk": "yes",
        "hidden": "maybe",
        "order": "price; --",
        "page": "0",
        "when": "next year",
        "model": "a\nb",
    }
    assert JobQuery.of_address(address) == JobQuery(text=JobQuery.of_address(address).text)
    assert not JobQuery.of_address({}).is_filtered


def test_a_name_or_tag_with_joiners_and_blanks_of_any_kind_is_asked_for_as_it_is():
    for value in ("علی\u200cرضا", "👩\u200d🎨", "Jean\xa0Paul", "\u202eAda"):
        query = JobQuery.of_address(JobQuery(person=value, tags=(value,)).to_address())
        assert (query.person, query.tags) == (value, (value,))


def test_days_in_the_wrong_order_change_places():
    query = JobQuery.of_address({"from": "2026-11-26", "to": "2026-11-01", "when": "today"})
    assert (query.first, query.last, query.period) == (date(2026, 11, 1), date(2026, 11, 26), "")


def test_an_address_names_only_what_was_asked_for():
    query = JobQuery(text=" red  fox ", states=("failed",), cost_from=Decimal("1.50"), clips=True, page=2)
    assert query.to_address() == {"q": "red fox", "state": "failed", "min": "1.5", "clips": "1", "page": "2"}
    assert query.whole.to_address() == {"q": "red fox", "state": "failed", "min": "1.5", "clips": "1"}
    assert JobQuery().to_address() == {}


def test_a_period_moves_with_the_day():
    today = date(2026, 3, 5)
    days = {
        period: JobQuery(period=period).days(today)
        for period in ("today", "7d", "30d", "month", "last-month")
    }
    assert days == {
        "today": (today, today),
        "7d": (date(2026, 2, 27), today),
        "30d": (date(2026, 2, 4), today),
        "month": (date(2026, 3, 1), today),
        "last-month": (date(2026, 2, 1), date(2026, 2, 28)),
    }
