"""README says what is true: settings, columns, models, and code that runs."""

from __future__ import annotations

from pathlib import Path

from kling import TextToVideo, catalog
from kling.catalog import Model
from kling.endpoint import ENDPOINTS
from kling.studio.jobs import COLUMNS, STATES
from kling.studio.settings import NAMES

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def row(model: Model) -> str:
    modes = ", ".join(f"{mode.name} {mode.short_side}p" for mode in model.modes.values())
    prices = ", ".join(
        f"{mode.units_per_second}"
        + (f" ({mode.units_per_second_with_sound} with sound)" if mode.units_per_second_with_sound else "")
        for mode in model.modes.values()
    )
    seconds = (
        f"{model.durations[0]} to {model.durations[-1]}"
        if len(model.durations) > 2
        else " or ".join(model.durations)
    )
    takes = [name for name in TextToVideo.FIELDS if name in model.takes]
    retired = f"since {model.retired:%Y-%m-%d}" if model.retired else ""
    return f"| `{model.name}` | {modes} | {seconds} | {prices} | {', '.join(takes)} | {retired} |"


def test_the_table_of_models_follows_the_catalog():
    table = "\n".join(
        [
            "| model | modes | seconds | Units a second, by mode | also takes | retired |",
            "| --- | --- | --- | --- | --- | --- |",
            *(row(model) for model in catalog().models.values()),
        ]
    )
    assert table in README, f"README should have:\n{table}"


def test_every_setting_is_named():
    assert [name for name in NAMES if f"`{name}`" not in README] == []


def test_every_column_and_state_of_the_log_is_named():
    assert "one column for each field of the request" in README
    fields = {field for endpoint in ENDPOINTS for field in endpoint.request.FIELDS}
    names = [name for name in (*COLUMNS, *STATES) if name == "external_task_id" or name not in fields]
    assert [name for name in names if f"`{name}`" not in README] == []


def test_the_two_commands_stand_as_they_are_run():
    assert "\npip install -r requirements.txt && streamlit run app.py\n" in README
    assert "\npip install -r tests/requirements.txt && pytest\n" in README


def test_every_picture_exists():
    import re

    for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (Path(__file__).parents[1] / target).is_file(), target


def test_every_test_that_the_threat_model_names_exists():
    import re

    model = README[README.index("## Threat model") :].split("\n## ")[0]
    folder = "tests"
    names = re.findall(r"`((?:tests/[\w/]+?/)?test_\w+\.py|tests/[\w/]+)`", model)
    assert len(names) > 20
    for name in names:
        path = Path(name) if name.startswith("tests/") else Path(folder) / name
        folder = str(path.parent) if path.suffix else folder
        assert (Path(__file__).parents[1] / path).exists(), name


def test_what_a_change_goes_into_exists():
    import re
    from pathlib import PurePosixPath

    root = Path(__file__).parents[1]
    tree = [
        PurePosixPath(path.relative_to(root).as_posix())
        for folder in ("kling", "pages", "tests", ".streamlit")
        for path in (root / folder).rglob("*")
    ]
    table = README[README.index("| a change of | goes into |") :]
    names = re.findall(r"`([\w/.-]+(?:\.\w+|/))`", table)
    assert len(names) > 30
    assert [name for name in names if not any(path.match(name) for path in tree)] == []
