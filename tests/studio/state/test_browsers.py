"""Only the studio can make an id of a browser."""

from __future__ import annotations

from itertools import count

import pytest

from kling.studio.state.browsers import Browsers

HERE = Browsers(b"secret")


def test_an_id_that_was_made_here_is_recognised_and_every_one_is_another():
    cookies = [HERE.new() for _ in range(50)]
    assert len({HERE.verify(cookie) for cookie in cookies}) == 50
    assert all(len(HERE.verify(cookie)) == 32 for cookie in cookies)
    assert Browsers(b"secret").verify(cookies[0]) == HERE.verify(cookies[0])


COOKIE = HERE.new()


@pytest.mark.parametrize(
    "made_up",
    [
        "",
        COOKIE[:32],
        COOKIE[:-1],
        f"{COOKIE}0",
        f"{COOKIE}\n",
        "0" * 32 + COOKIE[32:],
        COOKIE[:33] + "0" * 64,
        COOKIE.replace(".", "·"),
        Browsers(b"another").new(),
        "\ud800" * 97,
        "x" * 1_000_000,
    ],
    ids=count(),  # a name of the test may not depend on chance: two processes have to agree on it
)
def test_what_was_made_up_is_no_id(made_up):
    assert not HERE.verify(made_up)
