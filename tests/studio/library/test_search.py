"""Whatever is asked of whatever log, the index answers what a plain filter over the jobs would."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kling.studio.jobs import STATES, Job, dump_json, fold
from kling.studio.library import HIDDEN, ORDERS, PERIODS, STARS, Around, Group, JobQuery, Library
from kling.studio.visible_names import name_key
from tests.kling.tools import law
from tests.studio.library.conftest import NOON, PRICE, library_of
from tests.studio.library.oracle import in_order, is_found, used

PIECES = (
    *("fox", "FOX", "fo", "x", "f", "snow", "a", "Straße", "STRASSE", "ẞ", "ß", "nürnberg", "NU\u0308RNBERG"),
    *(
        "İstanbul",
        "istanbul",
        "ısı",
        "ISI",
        "i",
        "ﬁne",
        "fine",
        "ｆｏｘ",
        "灯塔在暴风雨中",
        "灯塔",
        "塔",
        "東京の夜景",
    ),
    *(
        "夜景",
        "ガラス",
        "カラス",
        "ｶﾞﾗｽ",
        "한국",
        "각",
        "हिन्दी",
        "й",
        "и",
        "ёлка",
        "🦊",
        "👩‍🚀",
        "é",
        "e\u0301",
    ),
    *(
        '"',
        '""',
        "'",
        "%",
        "_",
        "\\",
        "100%",
        "a_b",
        "c:\\x",
        "AND",
        "OR",
        "NOT",
        "NEAR(",
        "(x",
        "*",
        "fo*",
        "^",
    ),
    *(
        "storm -rain",
        "c++",
        "hay:fox",
        "{",
        "}",
        "\x1f",
        "\x00",
        "\n",
        "\t",
        "\xa0",
        "\u200b",
        "-",
        "--",
        ";",
    ),
)


def texts_of(most: int) -> st.SearchStrategy[str]:
    """Return texts of so many pieces at most."""
    return st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=most).flatmap(
        lambda parts: st.sampled_from(["", " "]).map(lambda glue: glue.join(parts))
    )


TEXTS = texts_of(4)
STORABLE = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
NAMES = ("Ada", "ada", "Grace Hopper", "Jean\xa0Paul", "علی\u200cرضا", "👩\u200d🎨", "p-1", "")
ZONES = (UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Sao_Paulo"))
TIMES = st.one_of(
    st.datetimes(datetime(2026, 11, 20), datetime(2026, 11, 27)),  # noqa: DTZ001 - a zone is added
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
).map(lambda time: time.replace(tzinfo=UTC).isoformat())
AMOUNTS = st.sampled_from(["0", "1.5", "0.000001", "250000", "99999999999", "-1", "much", ""])
CELLS = {
    "state": st.sampled_from([*STATES, ""]),
    "prompt": STORABLE,
    "negative_prompt": STORABLE,
    "multi_prompt": st.lists(STORABLE, max_size=2).map(
        lambda texts: dump_json([{"prompt": text} for text in texts])
    ),
    "person": st.sampled_from(NAMES),
    "person_id": st.sampled_from(["", "p-1", "p-2"]),
    "by": st.sampled_from(["", "p-1"]),
    "by_name": st.sampled_from(["", "Ada"]),
    "account": st.sampled_from(["sandbox", "other"]),
    "model_name": st.sampled_from(["kling-v3", "kling-v2-6", "my-model"]),
    "mode": st.sampled_from(["std", "pro"]),
    "duration": st.sampled_from(["5", "10", "much"]),
    "aspect_ratio": st.sampled_from(["16:9", "1:1"]),
    "sound": st.sampled_from(["on", "off"]),
    "endpoint": st.sampled_from(["", "text2video", "later"]),
    "units": AMOUNTS,
    "unit_price": st.sampled_from(["0.14", "2"]),
    "currency": st.sampled_from(["USD", "EUR"]),
    "final_unit_deduction": AMOUNTS,
    "final_balance_deduction": AMOUNTS,
    "task_id": st.sampled_from(["880000000000000001", "7"]),
    "file": st.just("a.mp4"),
    "deleted": st.just("2026-11-26T10:00:00+00:00"),
    "star": st.sampled_from(["1", "-"]),
    "rating": st.sampled_from(["1", "4", "5", "-", "many"]),
    "tags": st.lists(STORABLE.map(lambda text: text.replace(",", " ")), max_size=3).map(", ".join),
    "note": STORABLE,
    "hidden": st.sampled_from(["1", "-"]),
    "batch": st.sampled_from(["b1", "b2"]),
    "parent": st.sampled_from(["0", "1"]),
    "message": STORABLE,
    "extra": st.sampled_from(
        [
            *('{"gone":"2026"}', '{"found":"account"}', '{"imported":{"id":"i"}}', '{"template":"t1"}'),
            *('{"continues":true}', "words", '{"imported":{"id":"i","undone":true}}'),
        ]
    ),
}
ROWS = st.fixed_dictionaries({"time": TIMES}, optional=CELLS)
LOGS = st.lists(st.tuples(st.integers(0, 7), ROWS), max_size=14)
DAYS = st.one_of(st.none(), st.dates(date(2026, 11, 18), date(2026, 11, 29)))
SOME = {
    "text": texts_of(14),
    "states": st.lists(st.sampled_from(STATES), max_size=3).map(tuple),
    "models": st.lists(st.sampled_from(["kling-v3", "my-model", "none"]), max_size=2).map(tuple),
    "modes": st.lists(st.sampled_from(["std", "pro"]), max_size=2).map(tuple),
    "person": st.sampled_from([*NAMES, "ÁDA", "p-2", "nobody"]),
    "period": st.sampled_from(PERIODS),
    "first": DAYS,
    "last": DAYS,
    "batch": st.sampled_from(["", "b1"]),
    "parent": st.sampled_from(["", "1"]),
    "cost_from": st.sampled_from([None, Decimal(0), Decimal("1.5"), Decimal(300000)]),
    "cost_to": st.sampled_from([None, Decimal(0), Decimal("1.5"), Decimal(300000)]),
    "star": st.sampled_from(STARS),
    "rating": st.integers(0, 5),
    "tags": st.lists(st.sampled_from(["fox", "STRASSE", "塔", "👩\u200d🚀"]), max_size=2).map(tuple),
    "durations": st.lists(st.sampled_from(["5", "10"]), max_size=2).map(tuple),
    "shapes": st.lists(st.sampled_from(["16:9", "1:1"]), max_size=2).map(tuple),
    "sound": st.sampled_from(["", "on", "off"]),
    "at_risk": st.booleans(),
    "hidden": st.sampled_from(HIDDEN),
    "endpoints": st.lists(st.sampled_from(["text2video", "later", "words", "sound"]), max_size=2).map(tuple),
    "continued": st.booleans(),
    "clips": st.booleans(),
    "order": st.sampled_from(ORDERS),
}
# Most questions name one or two things; one that names all of them finds nothing.
QUERIES = st.lists(st.sampled_from(sorted(SOME)), max_size=3, unique=True).flatmap(
    lambda names: st.builds(JobQuery, **{name: SOME[name] for name in names})
)


def jobs_of(log: list[tuple[int, dict[str, str]]]) -> list[Job]:
    found: dict[int, Job] = {}
    for number, row in log:
        found[number] = fold(found.get(number), {**row, "external_task_id": f"v{number}"})
    return list(found.values())


def filled(jobs: list[Job], **options: object) -> Library:
    library = library_of(**options)  # type: ignore[arg-type]
    library.reset(jobs)
    library.recorded("s")
    return library


def ask(library: Library, jobs: list[Job], query: JobQuery, who: str) -> list[str]:
    """Return the ids of all pages, each page of three."""
    by_id = {job.id: job for job in jobs}
    found: list[str] = []
    for number in range(1, 20):
        page = library.page(query.with_page(number), by_id.get, per_page=3, who=who)
        found += [row.job.id for row in page.rows]
        if not page.has_more:
            break
    return found


@settings(law, max_examples=60)
@given(LOGS, st.lists(QUERIES, min_size=1, max_size=6), st.sampled_from(ZONES))
def test_any_question_to_any_log_equals_a_plain_filter(log, queries, zone):
    jobs = jobs_of(log)
    names = {"p-2": [name_key("Grace Hopper")]}
    library = filled(jobs, zone=zone, names_of=lambda person: names.get(person, ()))
    today = NOON.astimezone(zone).date()
    for query in queries:
        options = {"today": today, "zone": zone, "names": names.get(query.person, ())}
        wanted = [
            (number, job) for number, job in enumerate(jobs) if is_found(job, query, who="p-1", **options)
        ]
        expected = in_order(wanted, query.order)
        assert ask(library, jobs, query, who="p-1") == expected == library.ids(query, who="p-1")
        totals = library.totals(query, who="p-1")
        assert totals.jobs == len(expected) == library.count(query, who="p-1")
        assert totals.clips == sum(job.has_clip for _, job in wanted)
        own = [job for _, job in wanted if job["account"] == "sandbox" and not job.imported]
        spent = totals.sums.spent.used
        assert (spent.units, spent.money) == used(own, PRICE)
        assert totals.sums.jobs == len(own)
        for group in Group:
            rows = library.spend(query, group, who="p-1")
            assert sum((row.sums for row in rows), start=type(totals.sums)()) == totals.sums
        for at, job_id in enumerate(expected):
            around = ["", *expected, ""]
            assert library.neighbours(query, job_id, who="p-1") == (around[at], around[at + 2])
            near = tuple(expected[max(0, at - 2) : at + 3])
            found = library.around(query, job_id, reach=2, who="p-1")
            assert (found.place, found.total, found.ids) == (at + 1, len(expected), near)
        assert library.around(query, "v-none", reach=2) == Around(0, len(library.ids(query)), ())


@settings(law, max_examples=120)
@given(st.lists(STORABLE, min_size=1, max_size=4), TEXTS, st.data())
@example(["灯塔在暴风雨中", "東京の夜景"], "塔", None)
@example(["a\x1fb"], "a\x1fb", None)
def test_any_part_of_any_text_is_found(texts, other, data):
    jobs = [
        fold(None, {"external_task_id": f"v{number}", "time": NOON.isoformat(), "prompt": text})
        for number, text in enumerate(texts)
    ]
    library = filled(jobs)
    text = texts[0]
    part = other
    if data is not None and text:
        start = data.draw(st.integers(0, len(text) - 1))
        part = text[start : data.draw(st.integers(start + 1, len(text)))]
    for query in (JobQuery(text=part), JobQuery(text=f'"{part}"'), JobQuery(text=other)):
        wanted = {job.id for job in jobs if is_found(job, query)}
        page = library.page(query, {job.id: job for job in jobs}.get)
        assert set(library.ids(query)) == {row.job.id for row in page.rows} == wanted


@law
@given(
    st.lists(st.sampled_from([piece for piece in PIECES if len(piece) > 1]), min_size=9, max_size=14),
    st.sampled_from([{}, {"hidden": "all"}, {"states": ("succeed",)}, {"order": "oldest"}]),
    st.integers(0, 14),
)
def test_every_word_of_a_long_search_counts(words, others, left_out):
    prompts = [" ".join(words), " ".join(words[:left_out] + words[left_out + 1 :])]
    row = {"time": NOON.isoformat(), "state": "succeed"}
    jobs = [
        fold(None, {**row, "external_task_id": f"v{n}", "prompt": each}) for n, each in enumerate(prompts)
    ]
    library, query = filled(jobs), JobQuery(text=" ".join(words), **others)
    wanted = {job.id for job in jobs if is_found(job, query)}
    page = library.page(query, {job.id: job for job in jobs}.get)
    assert {row.job.id for row in page.rows} == set(library.ids(query)) == wanted
    assert library.count(query) == len(wanted)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Eine alte Straße in Nürnberg", "STRASSE"),
        ("EINE ALTE STRASSE", "straße"),
        ("Nu\u0308rnberg", "nürnb"),
        ("İstanbul at night", "istanbul"),
        ("ISPARTA", "ısparta"),
        ("a ﬁne day", "fine"),
        ("ｆｕｌｌｗｉｄｔｈ", "fullwidth"),
        ("灯塔在暴风雨中", "灯塔"),
        ("灯塔在暴风雨中", "塔"),
        ("東京の夜景", "夜景"),
        ("ｶﾞﾗｽの城", "ガラス"),
        ("two\n  lines", '"two lines"'),
        ("100% a_b c:\\x", "0% a_b \\x"),
        ('he said "run" AND (ran)', '"run" AND (ran)'),
        ("c++ NEAR the sea", "c++ NEAR"),
        ("Red fox, snow", "snow red"),
        ("a 👩‍🚀 on the moon", "👩‍🚀"),
    ],
)
def test_a_prompt_is_found_however_it_is_written(prompt, text):
    jobs = [fold(None, {"external_task_id": "v1", "time": NOON.isoformat(), "prompt": prompt})]
    library = filled(jobs)
    (row,) = library.page(JobQuery(text=text), {"v1": jobs[0]}.get).rows
    assert row.marks_in("prompt")


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("カラス", "ガラス"),
        ("a red fox", '"fox red"'),
        ("ab", "abc"),
        ("fox", "f%x"),
        ("fox", "f_x"),
        ("fox", "fo*"),
        ("rain", "storm -rain"),
        ("a b c d e f g h", "a b c d e f g h ninth"),
    ],
)
def test_what_is_not_there_is_not_found(prompt, text):
    jobs = [fold(None, {"external_task_id": "v1", "time": NOON.isoformat(), "prompt": prompt})]
    assert filled(jobs).ids(JobQuery(text=text)) == []


def test_what_matched_is_said_with_its_field_and_its_places():
    row = {
        "external_task_id": "v1",
        "time": NOON.isoformat(),
        "prompt": "A fox in the Straße, a FOX",
        "multi_prompt": dump_json([{"prompt": "rain"}, {"prompt": "one fox"}]),
        "tags": "foxes",
        "person": "Ada",
    }
    job = fold(None, row)
    (found,) = filled([job]).page(JobQuery(text="fox strasse"), {"v1": job}.get).rows
    marked = {match.field: [match.text[start:end] for start, end in match.marks] for match in found.matches}
    assert marked == {"prompt": ["fox", "Straße", "FOX"], "shot 2": ["fox"], "tags": ["fox"]}


@law
@given(STORABLE, TEXTS)
def test_marks_are_places_of_the_text_whatever_it_is(prompt, text):
    job = fold(None, {"external_task_id": "v1", "time": NOON.isoformat(), "prompt": prompt})
    for row in filled([job]).page(JobQuery(text=text), {"v1": job}.get).rows:
        places = row.marks_in("prompt")
        flat = [place for mark in places for place in mark]
        assert flat == sorted(set(flat))
        assert not flat or (flat[0] >= 0 and flat[-1] <= len(prompt))


def test_tags_of_an_undone_import_are_not_offered():
    marks = {"kept": {"id": "i"}, "gone": {"id": "i", "undone": True}}
    jobs = {
        tag: fold(None, {"external_task_id": tag, "tags": tag, "extra": dump_json({"imported": mark})})
        for tag, mark in marks.items()
    }
    assert filled(list(jobs.values())).tags(jobs.get) == ["kept"]


def test_a_page_past_the_end_is_the_last_one():
    start = NOON - timedelta(days=1)
    jobs = [
        fold(None, {"external_task_id": f"v{n}", "time": (start + timedelta(minutes=n)).isoformat()})
        for n in range(7)
    ]
    library, by_id = filled(jobs), {job.id: job for job in jobs}
    page = library.page(JobQuery(page=99), by_id.get, per_page=3)
    assert ([row.job.id for row in page.rows], page.number, page.has_more) == (["v0"], 3, False)
    empty = library.page(JobQuery(text="nothing", page=4), by_id.get)
    assert (empty.rows, empty.number) == ((), 1)


def test_two_characters_are_found_wherever_they_stand_and_whatever_follows():
    start = NOON - timedelta(days=1)
    prompts = [f"{chr(0x4E00 + number)}灯塔{chr(0x5E00 + number)}" for number in range(520)] + [
        "灯塔",
        "塔灯",
    ]
    jobs = [
        fold(
            None,
            {
                "external_task_id": f"v{n}",
                "time": (start + timedelta(seconds=n)).isoformat(),
                "prompt": prompt,
            },
        )
        for n, prompt in enumerate(prompts)
    ]
    library = filled(jobs)
    assert library.count(JobQuery(text="灯塔")) == library.totals(JobQuery(text="灯塔")).jobs == 521
    assert library.ids(JobQuery(text="塔灯")) == ["v521"]
    assert library.ids(JobQuery(text="塔 灯 \u4e05")) == ["v5"]
    assert library.ids(JobQuery(text="塔丐")) == []
