"""All looks at a set-up, one after the other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from kling.studio import given_values, server_options
from kling.studio.doctor import here, outside, serving
from kling.studio.doctor.assistant import assistant
from kling.studio.doctor.finding import Finding, ok, problem, warning
from kling.studio.folder import is_taken
from kling.studio.given_values import GivenValueError
from kling.studio.settings import NAMES, Settings, SettingsError, load


def examine(
    env: Mapping[str, str], root: Path, *, clock: Callable[[], float] = time.time
) -> Iterator[Finding]:
    """Yield what is found; what depends on settings that cannot be read is left out.

    Args:
        env: the environment of the studio.
        root: the folder of app.py.
        clock: Unix seconds.
    """
    yield from serving.versions()
    options = server_options.read(env, root)
    secrets = root / ".streamlit" / "secrets.toml"
    yield from _unknown(env, secrets)
    settings, refused = _loaded(env, secrets, root, options.base)
    yield from refused
    if refused:
        return
    yield ok("settings", "can be read")
    folder = settings.data_dir
    if now := server_options.running(folder):
        options = now
        settings = load(env, secrets, root=root, base=options.base)
    yield from serving.listens(options, server_options.last(folder), is_running=now is not None)
    yield from here.secrets_file(settings)
    yield from here.data_folder(folder)
    yield from here.disk(folder)
    if folder.is_dir() or not folder.exists():
        yield from here.log(folder)
        yield from here.database(folder)
    yield from here.limits()
    yield from serving.port(options, is_running=is_taken(folder))
    yield from serving.sign_in(settings, options, clock())
    yield from outside.examine(settings, clock=clock)
    yield from assistant(settings.assistant)


def _unknown(env: Mapping[str, str], secrets: Path) -> Iterator[Finding]:
    """Yield names that look like settings and are none."""
    in_env = {name for name in env if name.startswith(("STUDIO_", "KLINGAI_")) and name not in NAMES}
    try:
        in_file = given_values.unknown_names(secrets, NAMES)
    except GivenValueError:
        in_file = []  # that the file cannot be read is found below
    for name in sorted(in_env.union(in_file)):
        like = get_close_matches(name, NAMES, n=1)
        remedy = f"did you mean {like[0]}?" if like else "README, Settings, lists all names"
        yield warning("settings", f"{name} is no setting, so it changes nothing", remedy)


def _loaded(env: Mapping[str, str], secrets: Path, root: Path, base: str) -> tuple[Settings, list[Finding]]:
    """Return the settings without those that cannot be used, and what is wrong with each of these."""
    left, refused = dict(env), list[Finding]()
    while True:
        try:
            return load(left, secrets, root=root, base=base), refused
        except SettingsError as error:
            what, _, remedy = str(error).partition(": ")
            if _names(what).isdisjoint(env.keys() - left.keys()):  # else it is wrong only without that one
                refused.append(problem("settings", what.rstrip("."), remedy.rstrip(".") or "correct it"))
            named = _names(str(error)) & left.keys()
            if not named:  # it stands in the file
                return Settings(), refused
            for name in named:
                del left[name]


def _names(words: str) -> set[str]:
    return set(re.findall("[A-Z_]+", words)).intersection(NAMES)
