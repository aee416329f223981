"""Shared links: what one shows, to whom, how long, and that nothing else opens it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from kling.studio.actions import Actions
from kling.studio.identity.roles import LOCAL, NotAllowed, Role, User
from kling.studio.jobs import request_cells
from kling.studio.settings import SettingsError, load
from kling.studio.share_settings import Sharing
from kling.studio.share_views import SharedView
from kling.studio.state.erasing import erase_words
from kling.studio.state.records import CollectionError, ShareError
from kling.studio.whose import Whose
from tests.studio.fakes import FOX, Bench

DAY = 24 * 3600.0


def acting(bench: Bench, name: str, role: Role = "maker") -> Actions:
    people = bench.studio.state.people
    return bench.studio.acting_as((people.by_name(name) or people.add(name, role)).user)


def clip(bench: Bench, job_id: str, owner: Actions | None = None, **cells: str) -> str:
    whose = {"person": owner.user.name, "person_id": owner.person_id} if owner else {}
    known = {"account": bench.account, **request_cells(FOX), **whose}
    bench.ledger.append(job_id, state="succeed", file=f"{job_id}.mp4", **known, **cells)
    return job_id


def sharing(bench: Bench, mode: Sharing) -> None:
    bench.studio.settings = replace(bench.studio.settings, sharing=mode)


def shown(bench: Bench, token: str) -> list[str] | None:
    view = bench.studio.shared_view(token)
    return None if view is None else [job.id for job in view.clips]


@pytest.fixture
def mia(bench) -> Actions:
    return acting(bench, "Mia")


@pytest.fixture
def clips(bench, mia) -> list[str]:
    return [clip(bench, name, mia) for name in ("v1", "v2", "v3")]


@pytest.mark.usefixtures("clips")
def test_a_link_shows_its_clips_in_order_until_it_ends(bench, mia):
    share, token = mia.share(["v2", "v1"], title="Two shoes", days=2)
    view = bench.studio.shared_view(token)
    assert isinstance(view, SharedView)
    assert (view.title, [job.id for job in view.clips], view.cover.id) == ("Two shoes", ["v2", "v1"], "v2")
    assert view.clip("v1") is not None
    assert view.clip("v3") is None
    assert share.ends == bench.clock.now + 2 * DAY
    bench.clock.now += 2 * DAY - 1
    assert shown(bench, token) == ["v2", "v1"]
    bench.clock.now += 1
    assert shown(bench, token) is None


def test_only_the_hash_of_a_token_is_kept_and_its_id_opens_nothing(bench, mia, clips):
    share, token = mia.share(clips)
    assert len(token) == 22
    bench.studio.state.stop()
    with closing(sqlite3.connect(bench.folder / "studio.sqlite3")) as found:
        assert token not in "\n".join(found.iterdump())
    for path in bench.folder.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes()
    bench.restart()
    assert shown(bench, token) == clips
    assert shown(bench, share.id) is None


@pytest.mark.parametrize("token", ["", "x", "é" * 22, "a" * 5000, "../clips", "\0", "%2e%2e"])
def test_a_guessed_token_opens_nothing(bench, mia, clips, token):
    mia.share(clips)
    assert shown(bench, token) is None


def test_a_clip_that_is_hidden_deleted_or_taken_back_leaves_every_link_at_once(bench, mia, clips):
    _, token = mia.share(clips)
    mia.hide(["v1"])
    assert shown(bench, token) == ["v2", "v3"]
    mia.hide(["v1"], on=False)
    (bench.folder / "videos" / "v2.mp4").write_bytes(b"x")
    mia.delete_files(["v2"])
    assert shown(bench, token) == ["v1", "v3"]
    mia.hide(["v1", "v3"])
    assert shown(bench, token) is None


def test_a_link_ends_with_who_made_it(bench, mia, clips):
    ada = acting(bench, "Ada", "admin")
    _, token = mia.share(clips)
    ada.remove_person(mia.user.id)
    assert shown(bench, token) is None
    ada.take_back_person(mia.user.id)
    assert shown(bench, token) == clips
    ada.set_role(mia.user.id, "viewer")
    assert shown(bench, token) is None


def test_makers_share_their_own_and_admins_everybodys(bench, clips):
    bob, ada = acting(bench, "Bob"), acting(bench, "Ada", "admin")
    vera = acting(bench, "Vera", "viewer")
    for actions in (bob, vera):
        with pytest.raises(NotAllowed):
            actions.share(clips)
    _, token = ada.share(clips)
    assert shown(bench, token) == clips
    acting(bench, "Root", "admin").set_role(ada.user.id, "maker")  # what she may not share now is not shown
    assert shown(bench, token) is None


@pytest.mark.usefixtures("clips")
def test_a_link_to_a_collection_follows_it_but_shows_nothing_that_was_added_later(bench, mia):
    made = mia.add_collection("Spring", text="Say which", clips=["v1", "v2"], cover="v2")
    share, token = mia.share_collection(made.id)
    mia.collect(made.id, ["v3"])
    assert shown(bench, token) == ["v1", "v2"]
    mia.move_in_collection(made.id, ["v2"], before="v1")
    now = mia.change_collection(made, title="Summer")
    view = bench.studio.shared_view(token)
    assert (view.title, view.text, view.cover.id) == ("Summer", "Say which", "v2")
    assert shown(bench, token) == ["v2", "v1"]
    mia.uncollect(made.id, ["v2"])
    assert shown(bench, token) == ["v1"]
    mia.renew_share(share.id)
    assert shown(bench, token) == ["v1", "v3"]
    mia.delete_collection(now.id)
    assert shown(bench, token) is None
    with pytest.raises(CollectionError):
        mia.renew_share(share.id)


def test_nobody_shares_others_clips_by_way_of_a_collection(bench, mia):
    bob = acting(bench, "Bob")
    made = mia.add_collection("Spring", clips=[clip(bench, "b1", bob)])
    with pytest.raises(NotAllowed):
        mia.share_collection(made.id)


def test_a_link_is_ended_by_who_made_it_or_by_an_admin(bench, mia, clips):
    bob, ada = acting(bench, "Bob"), acting(bench, "Ada", "admin")
    (first, one), (second, two) = mia.share(clips), mia.share(["v1"])
    with pytest.raises(NotAllowed):
        bob.end_share(first.id)
    assert (len(mia.shares()), len(bob.shares()), len(ada.shares())) == (2, 0, 2)
    mia.end_share(first.id)
    ada.end_share(second.id)
    assert shown(bench, one) is shown(bench, two) is None
    assert all(each.ended for each in ada.shares())


@pytest.mark.parametrize(
    ("mode", "audience", "days", "role", "said"),
    [
        ("off", "team", 1, "admin", "switched off"),
        ("team", "anyone", 1, "admin", "Audience"),
        ("anyone", "anyone", 31, "maker", "1 to 30"),
        ("anyone", "anyone", 366, "admin", "1 to 365"),
        ("team", "team", 0, "maker", "Days"),
        ("team", "team", 366, "maker", "Days"),
        ("anyone", "anyone", 30, "maker", ""),
        ("anyone", "anyone", 365, "admin", ""),
        ("team", "team", 365, "maker", ""),
    ],
)
def test_the_operator_and_the_role_bound_whom_and_how_long(  # noqa: PLR0917 - as many as a row has
    bench, mode, audience, days, role, said
):
    somebody = acting(bench, "Somebody", role)
    sharing(bench, mode)
    clip(bench, "v1", somebody)
    if said:
        with pytest.raises(ShareError, match=said):
            somebody.share(["v1"], audience=audience, days=days)
        assert bench.studio.state.shares.all() == ()
    else:
        somebody.share(["v1"], audience=audience, days=days)


def test_what_the_operator_takes_back_counts_for_links_that_were_made_before(bench, mia, clips):
    sharing(bench, "anyone")
    _, token = mia.share(clips, audience="anyone")
    assert bench.studio.shared_view(token).audience == "anyone"
    sharing(bench, "team")
    assert bench.studio.shared_view(token).audience == "team"
    sharing(bench, "off")
    assert shown(bench, token) is None


def test_nothing_to_show_is_not_shared(bench, mia):
    with pytest.raises(ShareError, match="no clip"):
        mia.share([])
    clip(bench, "v1", mia, hidden="1")
    with pytest.raises(ShareError, match="no clip"):
        mia.share(["v1", "unknown"])


def test_a_link_of_a_studio_without_sign_in_ends_when_people_come(bench):
    local = bench.studio.acting_as(User(LOCAL, "Ada", "admin"))
    clip(bench, "v1")
    share, token = local.share(["v1"])
    assert shown(bench, token) == ["v1"]
    mia = acting(bench, "Mia")
    assert shown(bench, token) is None
    with pytest.raises(NotAllowed):
        mia.end_share(share.id)


def test_plays_are_counted_and_written_every_few_seconds_and_at_the_end(bench, mia, clips):
    share, _ = mia.share(clips)
    shares = bench.studio.state.shares
    shares.count(share.id)
    for _ in range(3):
        shares.count(share.id, played=True)
    assert [(each.opened, each.played) for each in mia.shares()] == [(1, 3)]
    shares.count(share.id, played=True)
    bench.studio.state.stop()
    bench.restart()
    assert bench.studio.state.shares.get(share.id).played == 4


def test_the_audit_has_who_shared_what_and_no_token(bench, mia, clips):
    share, token = mia.share(clips, title="\u202eSecret launch", days=3)
    assert share.title == "Secret launch"
    mia.end_share(share.id)
    ended, shared = bench.studio.state.audit.search(action="share")
    assert (shared.thing, shared.details["clips"], shared.details["days"]) == (share.id, 3, 3)
    assert ended.details["did"] == "ended"
    assert token not in "\n".join(bench.studio.state.audit.export())
    made = mia.add_collection("Spring", clips=clips)
    entry = bench.studio.state.audit.search(action="collect")[0]
    assert (entry.thing, entry.details) == (made.id, {"did": "added", "clips": 3})


def test_what_a_person_shared_and_wrote_is_erased_with_the_person(bench, mia, clips):
    made = mia.add_collection("Mia's own", text="words", clips=clips)
    _, token = mia.share(clips)
    bench.studio.state.stop()
    erase_words(bench.folder / "studio.sqlite3", ["v2"], Whose(mia.user.id))
    bench.restart()
    found = bench.studio.state.collections.get(made.id)
    assert (found.title, found.text, found.person, found.clips) == ("Collection", "", "erased", ("v1", "v3"))
    assert bench.studio.state.shares.all() == ()
    assert shown(bench, token) is None


@pytest.mark.parametrize(("text", "mode"), [("", "team"), ("OFF", "off"), ("anyone", "anyone")])
def test_the_setting_is_read(tmp_path, text, mode):
    assert load({"STUDIO_SHARING": text}, tmp_path / "none", root=tmp_path).sharing == mode


def test_another_setting_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="STUDIO_SHARING"):
        load({"STUDIO_SHARING": "public"}, tmp_path / "none", root=tmp_path)
