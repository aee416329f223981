"""Where cards stand among the elements of a page: one that stays does not move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pages._ui.stable_cards import assign_slots

IDS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(st.lists(IDS, min_size=1))
def test_a_card_keeps_its_place_as_long_as_it_is_shown(shown: list[list[str]]):
    before: list[str] = []
    for ids in shown:
        places = assign_slots(before, ids)
        assert sorted(each for each in places if each) == sorted(ids)
        assert all(places.index(each) == before.index(each) for each in before if each and each in ids)
        assert len(places) <= max(len(before), len(ids))
        before = places


@given(IDS)
def test_the_first_cards_stand_in_their_order(ids: list[str]):
    assert assign_slots([], ids) == ids
