"""What people say of a clip: whose it is, how it is taken back, and that pandas reads the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.studio.actions import Actions
from kling.studio.curation import LONGEST_NOTE, MOST_JOBS, MOST_TAGS, CurationError
from kling.studio.identity.roles import LOCAL, NotAllowed, Role, User
from kling.studio.jobs import Job, request_cells
from kling.studio.ledger.csv_text import encode_cell
from tests.kling.tools import law
from tests.studio.fakes import FOX, Bench

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PEOPLE = (User("p-1", "Ada", "admin"), User("p-2", "Grace Hopper", "viewer"), User(LOCAL, "Ada", "admin"))


def acting(bench: Bench, name: str, role: Role = "maker") -> Actions:
    people = bench.studio.state.people
    return bench.studio.acting_as((people.by_name(name) or people.add(name, role)).user)


def job(bench: Bench, job_id: str, **cells: str) -> str:
    bench.ledger.append(job_id, state="succeed", account=bench.account, **request_cells(FOX), **cells)
    return job_id


def size_of(bench: Bench) -> int:
    return (bench.folder / "history.csv").stat().st_size


def said(job: Job) -> dict[str, Any]:
    return {
        "stars": {who for who, each in job.opinions.items() if each.star},
        "ratings": {who: each.stars for who, each in job.opinions.items() if each.stars},
        "tags": job.tags,
        "note": job["note"],
        "hidden": job.hidden,
    }


NOTHING = {"stars": set(), "ratings": {}, "tags": (), "note": "", "hidden": False}


def test_each_person_has_a_star_and_a_rating_of_their_own(bench):
    job_id = job(bench, "v1", person="Mia", person_id="p-9")
    ada, grace = acting(bench, "Ada"), acting(bench, "Grace", "viewer")
    ada.star([job_id])
    ada.rate([job_id], 5)
    grace.rate([job_id], 2)
    grace.star([job_id])
    grace.star([job_id], on=False)
    found = bench.job(job_id)
    assert said(found)["stars"] == {ada.who}
    assert said(found)["ratings"] == {ada.who: 5, grace.who: 2}
    assert (found["person"], found["person_id"]) == ("Mia", "p-9")
    assert found.opinions[grace.who].by_name == "Grace"


def test_everything_can_be_taken_back_and_an_older_opinion_does_not_come_back(bench):
    job_id, ada = job(bench, "v1"), acting(bench, "Ada")
    for rating in (2, 5):
        ada.rate([job_id], rating)
    ada.star([job_id])
    ada.add_tags([job_id], ["fox", "snow"])
    ada.set_note(job_id, "For the client\nsecond line")
    ada.hide([job_id])
    assert said(bench.job(job_id)) == {
        "stars": {ada.who},
        "ratings": {ada.who: 5},
        "tags": ("fox", "snow"),
        "note": "For the client\nsecond line",
        "hidden": True,
    }
    ada.rate([job_id], 0)
    ada.star([job_id], on=False)
    ada.remove_tags([job_id], ["fox", "snow"])
    ada.set_note(job_id, "")
    ada.hide([job_id], on=False)
    assert said(bench.job(job_id)) == NOTHING
    bench.restart()
    assert said(bench.job(job_id)) == NOTHING


def test_what_was_said_survives_a_log_that_loses_its_rows_while_the_studio_runs(bench):
    job_id, ada, grace = job(bench, "v1"), acting(bench, "Ada"), acting(bench, "Grace", "viewer")
    ada.rate([job_id], 4)
    grace.star([job_id])
    ada.add_tags([job_id], ["fox"])
    before = said(bench.job(job_id))
    log = bench.folder / "history.csv"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]))
    bench.ledger.sync()
    assert said(bench.job(job_id)) == before
    bench.restart()
    assert said(bench.job(job_id)) == before


def test_saying_the_same_again_records_nothing(bench):
    job_id, ada = job(bench, "v1"), acting(bench, "Ada")
    ada.star([job_id])
    ada.add_tags([job_id], ["Fox", "fox", " fox ", "snow,ice"])
    size = size_of(bench)
    assert (
        ada.star([job_id])
        == ada.add_tags([job_id], ["Fox", "snow", "ice"])
        == ada.hide([job_id], on=False)
        == []
    )
    assert size_of(bench) == size


def test_tags_are_added_and_removed_in_any_spelling(bench):
    jobs, ada = [job(bench, "v1"), job(bench, "v2", tags="Straße")], acting(bench, "Ada")
    assert len(ada.add_tags([*jobs, "v-unknown"], ["fox"])) == 2
    assert [bench.job(each).tags for each in jobs] == [("fox",), ("Straße", "fox")]
    assert [each.id for each in ada.remove_tags(jobs, ["STRASSE"])] == ["v2"]
    assert bench.ledger.get("v-unknown") is None


@pytest.mark.parametrize("text", ["-", " - ", "", "\x00"[:0]])
def test_a_dash_alone_is_no_note_and_no_tag(bench, text):
    job_id, ada = job(bench, "v1"), acting(bench, "Ada")
    ada.set_note(job_id, text)
    ada.add_tags([job_id], [text])
    assert said(bench.job(job_id)) == NOTHING


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda actions: actions.rate(["v1"], 6), "Rating"),
        (lambda actions: actions.rate(["v1"], -1), "Rating"),
        (lambda actions: actions.set_note("v1", "x" * (LONGEST_NOTE + 1)), "Note"),
        (lambda actions: actions.add_tags(["v1"], ["x" * 41]), "Tags"),
        (lambda actions: actions.add_tags(["v1"], [f"t{n}" for n in range(MOST_TAGS + 1)]), "Tags"),
        (lambda actions: actions.star([f"v{n}" for n in range(MOST_JOBS + 1)]), "Selection"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(bench, call, field):
    job(bench, "v1")
    size = size_of(bench)
    with pytest.raises(CurationError, match=field):
        call(acting(bench, "Ada"))
    assert size_of(bench) == size


def test_one_job_of_somebody_else_keeps_a_maker_from_hiding_any(bench):
    ada = acting(bench, "Ada")
    mine, others = job(bench, "v1", person_id=ada.user.id), job(bench, "v2", person_id="p-9")
    with pytest.raises(NotAllowed):
        ada.hide([mine, others])
    assert not bench.job(mine).hidden
    assert acting(bench, "Root", "admin").hide([mine, others])


def test_the_audit_names_who_did_what_and_not_the_words(bench):
    job_id, ada = job(bench, "v1"), acting(bench, "Ada")
    ada.star([job_id])
    ada.set_note(job_id, "secret words")
    entries = bench.studio.state.audit.search()
    assert [(entry.name, entry.action, entry.thing) for entry in entries[:2]] == [
        ("Ada", "note", job_id),
        ("Ada", "star", job_id),
    ]
    assert "secret" not in repr(entries)


TAGS = ["fox", "=1+1", "'quoted", "灯塔"]
SAYING = st.one_of(
    st.tuples(st.just("star"), st.booleans()),
    st.tuples(st.just("rate"), st.integers(0, 5)),
    st.tuples(st.just("tags"), st.lists(st.sampled_from(TAGS), max_size=2)),
    st.tuples(st.just("note"), st.sampled_from(["", "words", "+1", "NA", "a\nb", "'", "100%"])),
    st.tuples(st.just("hide"), st.booleans()),
)


def say(actions: Actions, job_id: str, what: str, value: Any) -> None:
    match what:
        case "star":
            actions.star([job_id], on=value)
        case "rate":
            actions.rate([job_id], value)
        case "tags":
            actions.remove_tags([job_id], TAGS)
            actions.add_tags([job_id], value)
        case "note":
            actions.set_note(job_id, value)
        case "hide":
            actions.hide([job_id], on=value)


def lines_of_readme(heading: str) -> str:
    part = README[README.index(heading) :]
    found = re.search(r"```python\n(.*?)```", part, re.DOTALL)
    assert found is not None
    return found[1]


def as_pandas_sees_it(log: Path) -> dict[str, dict[str, Any]]:
    """Run README's lines on a log, and return what they say of each job."""
    import pandas as pd

    code = lines_of_readme("## The log") + lines_of_readme("### What people say of a clip")
    names: dict[str, Any] = {"pandas": pd}
    exec(code.replace("data/history.csv", str(log)), names)
    opinions, labels = names["opinions"], names["labels"]
    found: dict[str, dict[str, Any]] = {}
    for job_id, row in labels.iterrows():
        cells = {name: "" if pd.isna(row[name]) else str(row[name]) for name in ("tags", "note", "hidden")}
        found[str(job_id)] = {**cells, "stars": set(), "ratings": {}}
    for (job_id, who), row in opinions.iterrows():
        if not pd.isna(row["star"]):
            found[str(job_id)]["stars"].add(who)
        if not pd.isna(row["rating"]):
            found[str(job_id)]["ratings"][who] = int(row["rating"])
    return found


@settings(law, max_examples=8)
@given(st.lists(st.tuples(st.sampled_from(["v1", "v2"]), st.sampled_from(PEOPLE), SAYING), max_size=12))
def test_the_lines_of_readme_say_what_the_studio_says(tmp_path_factory, steps: Sequence[Any]):
    bench = Bench(tmp_path_factory.mktemp("said"), is_sandbox=True)
    for job_id in ("v1", "v2"):
        job(bench, job_id)
    for job_id, user, (what, value) in steps:
        actions = bench.studio.acting_as(user)
        if user.role != "viewer" or what in {"star", "rate"}:
            say(actions, job_id, what, value)
    told = as_pandas_sees_it(bench.folder / "history.csv")
    for job_id in ("v1", "v2"):
        found = bench.job(job_id)
        assert told[job_id] == {
            "stars": said(found)["stars"],
            "ratings": said(found)["ratings"],
            # Line breaks are escapes in the file.
            **{name: encode_cell(found[name]).removeprefix("'") for name in ("tags", "note", "hidden")},
        }
    bench.studio.stop()
