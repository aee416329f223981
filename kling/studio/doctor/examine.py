"""All looks at a set-up, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kling.studio import server_options
from kling.studio.doctor import here, outside, serving
from kling.studio.doctor.finding import Finding, ok, problem
from kling.studio.settings import SettingsError, load


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
    try:
        settings = load(env, secrets, root=root, base=options.base)
    except SettingsError as error:
        what, _, remedy = str(error).partition(": ")
        yield problem("settings", what.rstrip("."), remedy.rstrip(".") or "correct it")
        return
    yield ok("settings", "can be read")
    folder = settings.data_dir
    yield from here.secrets_file(settings)
    yield from here.data_folder(folder)
    yield from here.disk(folder)
    if folder.is_dir() or not folder.exists():
        yield from here.log(folder)
        yield from here.database(folder)
    yield from here.limits()
    yield from serving.port(options, is_running=here.is_taken(folder))
    yield from serving.sign_in(settings, options)
    yield from outside.examine(settings, clock=clock)
