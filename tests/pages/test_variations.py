"""Variations: a table of what would be made, its price on the button, and one press that orders all of it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from kling.studio.service import Studio
from tests.pages.conftest import press_generate, texts
from tests.pages.test_composer import button, pick, state, unfold


def vary(app: AppTest, words: str, **choices: object) -> AppTest:
    pick(app, "prompt", words)
    unfold(app, "variations")
    if not app.session_state["composer.variations"]:
        pick(app, "variations", True)
    for field, value in choices.items():
        pick(app, field, value)
    return app


def place_of(block: Block, key: str) -> tuple[int, ...]:
    """Return the way to a container; empty if it is not there."""
    for index, child in block.children.items():
        if isinstance(child, Block):
            if str(getattr(child.proto, "id", "")).endswith(f"-{key}"):
                return (index,)
            if way := place_of(child, key):
                return (index, *way)
    return ()


def test_alternatives_make_a_table_by_themselves_and_one_press_sends_them_as_typed(
    studio: Studio, app: AppTest
):
    pick(app, "prompt", "A {red|grey} fox")
    assert button(app) == "Generate 2 · free (Kling: $0.42)"
    assert "One clip for each variation" in texts(app)
    app.button(key="composer.send_as_typed").click().run()
    assert "The braces are sent as they stand" in texts(app)
    assert button(app) == "Generate · free (Kling: $0.21)"
    pick(app, "prompt", "A {red|grey} fox at night")
    assert button(app) == "Generate · free (Kling: $0.21)"  # what was decided holds
    press_generate(app)
    assert [job["prompt"] for job in studio.ledger.jobs()] == ["A {red|grey} fox at night"]
    app.button(key="composer.make_variations").click().run()
    assert button(app).startswith("Generate 2")


def test_the_rest_of_the_form_keeps_its_place_whatever_is_said_above_it(app: AppTest):
    """Streamlit would draw it twice for a moment: where it was, too, until the run has ended."""
    before = {key: place_of(app.main, key) for key in ("choices", "panels")}
    assert all(before.values())
    for words in ("A {red|grey} fox", "A fox --ar 16:9", '{"model_name": "kling-v2-6", "prompt": "A fox"}'):
        pick(app, "prompt", words)
        assert {key: place_of(app.main, key) for key in before} == before


def test_a_press_that_comes_together_with_more_variations_is_refused_with_both_numbers(
    studio: Studio, app: AppTest
):
    pick(app, "prompt", "A fox")
    app.text_area(key="composer.prompt").set_value("A {red|grey} fox in {snow|rain}")
    press_generate(app)
    assert studio.ledger.jobs() == ()
    assert "this makes 4 clips instead of 1, as the button said when it was pressed" in texts(app)


def test_the_table_goes_with_the_last_alternative_unless_something_else_varies(app: AppTest):
    pick(app, "prompt", "A {red|grey} fox")
    pick(app, "prompt", "A red fox")
    assert state(app, "variations") == (False,)
    pick(app, "prompt", "A {red|grey} fox")
    pick(unfold(app, "variations"), "modes", ["std", "pro"])
    pick(app, "prompt", "A red fox")
    assert button(app).startswith("Generate 2 · free (Kling: $0.56)")


def test_an_order_with_braces_is_remade_as_it_was_sent(studio: Studio, app: AppTest):
    pick(app, "prompt", "A {red|grey} fox")
    app.button(key="composer.send_as_typed").click().run()
    press_generate(app)
    app.query_params.clear()
    app.query_params["from"] = studio.ledger.jobs()[0].id
    app.run()
    assert button(app) == "Generate · free (Kling: $0.21)"


def test_every_combination_is_a_row_with_its_price_and_all_are_one_group(studio: Studio, app: AppTest):
    vary(
        app,
        "A {red|grey} {animal} \\{really\\}",
        variables="animal = fox | heron",
        modes=["std", "pro"],
    )
    assert len(app.dataframe[0].value) == 8
    assert list(app.dataframe[0].value["Units"]) == [1.5, 2.5] * 4
    assert button(app).startswith("Generate 8 · free (Kling: $2.24)")
    press_generate(app)
    jobs = studio.ledger.jobs()
    assert len(jobs) == 8
    assert {job["prompt"] for job in jobs} == {
        f"A {colour} {animal} {{really}}" for colour in ("red", "grey") for animal in ("fox", "heron")
    }
    assert len({job.group for job in jobs}) == 1
    assert jobs[0].group
    press_generate(app)  # a double click
    assert len(studio.ledger.jobs()) == 8


def test_what_a_model_does_not_take_gives_way_in_its_row(app: AppTest):
    vary(app, "A fox", models=["kling-v3", "kling-v2-6"], durations=["5", "7"])
    table = app.dataframe[0].value
    assert list(zip(table["Model"], table["Length"], strict=True)) == [
        ("kling-v3", "5 s"),
        ("kling-v3", "7 s"),
        ("kling-v2-6", "5 s"),
    ]


def test_takes_multiply_the_table(studio: Studio, app: AppTest):
    vary(app, "A {red|grey} fox", takes=2)
    assert button(app).startswith("Generate 4 · free (Kling: $0.84)")
    press_generate(app)
    assert len({job.id for job in studio.ledger.jobs()}) == 4


def test_many_at_once_are_asked_for_again(studio: Studio, app: AppTest):
    vary(app, "A {1|2|3|4|5} {a|b|c|d|e} fox")
    assert button(app).startswith("Generate 25 · free (Kling: $5.25)")
    press_generate(app)
    assert studio.ledger.jobs() == ()
    assert '<b role="alert">This generates 25 clips at once: free' in texts(app)
    assert app.button(key="composer.confirm_order").label == "Yes, generate all 25"
    app.button(key="composer.not_now").click().run()
    assert "at once" not in texts(app)
    assert studio.ledger.jobs() == ()
    press_generate(app)
    app.button(key="composer.confirm_order").click().run()
    assert len(studio.ledger.jobs()) == 25
    assert "at once" not in texts(app)


def test_a_change_takes_the_question_back(studio: Studio, app: AppTest):
    vary(app, "A {1|2|3|4|5} {a|b|c|d|e} fox")
    press_generate(app)
    pick(app, "prompt", "A {1|2|3|4} {a|b|c|d|e} fox")
    assert "at once" not in texts(app)
    assert studio.ledger.jobs() == ()


def test_what_cannot_be_expanded_is_said_and_nothing_is_sent(studio: Studio, app: AppTest):
    for words, said in (
        ("A {red|grey fox", "never closed"),
        ("A {colour} fox", "not defined"),
        ("A {1|2|3|4|5|6|7|8} {1|2|3|4|5|6|7|8} {1|2|3|4|5|6|7|8|9} fox", "at most 500"),
    ):
        vary(app, words)
        assert said in texts(app)
        press_generate(app)
        assert studio.ledger.jobs() == ()
        assert state(app, "prompt") == (words,)


def test_a_table_without_a_legal_row_names_the_problem(studio: Studio, app: AppTest):
    vary(app, "{a|b}" + "x" * 2500)
    press_generate(app)
    assert "shorten it by 1" in texts(app)
    assert studio.ledger.jobs() == ()
