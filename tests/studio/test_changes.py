"""What has changed, by names, for those who are told and for those who come to take it."""

from __future__ import annotations

from kling.studio.changes import MOST_NAMES, NOTICE, REMEMBERED, Changes, News


def test_at_first_anything_may_have_changed():
    assert Changes(7).follow(lambda: None).take() == News(7, None)


def test_who_knows_a_version_hears_what_has_changed_since():
    changes = Changes(100)
    for name in "abc":
        changes.notify({name})
    heard = {
        version: changes.follow(lambda: None, since=version).take().names
        for version in (99, 100, 101, 103, 104)
    }
    assert heard == {99: None, 100: {"a", "b", "c"}, 101: {"b", "c"}, 103: frozenset(), 104: None}
    changes.notify()
    assert changes.follow(lambda: None, since=103).take() == News(104, None)
    for _ in range(REMEMBERED):
        changes.notify({"d"})
    assert changes.follow(lambda: None, since=104).take().names == frozenset("d")
    assert changes.follow(lambda: None, since=103).take().names is None


def test_a_follower_hears_the_names_since_it_took_them_last():
    changes = Changes()
    follower = changes.follow(lambda: None)
    follower.take()
    changes.notify({"a"})
    changes.notify(["b", NOTICE])
    assert follower.take() == News(2, frozenset({"a", "b", NOTICE}))
    changes.notify({"c"})
    assert follower.take() == News(3, frozenset({"c"}))


def test_a_change_without_names_may_be_of_anything():
    changes = Changes()
    follower = changes.follow(lambda: None)
    follower.take()
    changes.notify({"a"})
    changes.notify()
    changes.notify({"b"})
    assert follower.take() == News(3, None)


def test_who_takes_nothing_for_long_has_no_long_list_of_names():
    changes = Changes()
    follower = changes.follow(lambda: None)
    follower.take()
    for number in range(MOST_NAMES):
        changes.notify({str(number)})
    changes.notify({"0"})
    kept = changes.follow(lambda: None)
    kept.take()
    news = follower.take()
    assert news.names is not None
    assert len(news.names) == MOST_NAMES
    for number in range(MOST_NAMES + 1):
        changes.notify({str(number)})
    assert follower.take().names is None


def test_a_follower_is_woken_once_until_it_takes_what_there_is():
    woken: list[int] = []
    changes = Changes()
    follower = changes.follow(lambda: woken.append(changes.version))
    changes.notify({"a"})
    assert woken == []  # it has not taken the first news, and knows that there are some
    follower.take()
    changes.notify({"a"})
    changes.notify({"b"})
    assert woken == [2]
    follower.take()
    changes.notify({"a"})
    assert woken == [2, 4]


def test_a_follower_that_stops_or_fails_holds_nobody_up():
    heard: list[str] = []
    changes = Changes()

    def fails() -> None:
        raise RuntimeError("Event loop is closed")

    failing, stopped, other = (
        changes.follow(fails),
        changes.follow(lambda: heard.append("stopped")),
        changes.follow(lambda: heard.append("other")),
    )
    for follower in (failing, stopped, other):
        follower.take()
    stopped.stop()
    changes.notify({"a"})
    assert heard == ["other"]
    assert changes.listeners == 2
    failing.stop()
    other.stop()
    assert changes.listeners == 0
