"""The values of settings as they were written, and the keys among them.

A value is often copied with something around it: an invisible character, quotes, its own name, `Bearer `, a
comment. That is taken off where only one value can have been meant. A key that cannot be meant is refused
without being shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from kling.auth import ApiKey, Credentials, KeyPair

KEYS = ("KLINGAI_API_KEY", "KLINGAI_ACCESS_KEY", "KLINGAI_SECRET_KEY")
FOLDER = "STUDIO_DATA_DIR"
SECTION = "kling"  # of secrets.toml
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "‘": "’", "«": "»"}
_SCHEME = re.compile(r"(authorization\s*:\s*)?bearer[\s:]+", re.IGNORECASE)
_COMMENT = re.compile(r"\s#.*\Z", re.DOTALL)
_AROUND = re.compile(r"\A[\s\ufeff\u200b-\u200f\u2060]+|[\s\ufeff\u200b-\u200f\u2060]+\Z")
_NO_KEY = re.compile(r"[^!-~]|[\"'`|#,;<>\\]")  # characters that no key has
_PLACEHOLDER = re.compile(
    r"(your|my|insert|enter)[-_]?.*|x{3,}|\.{3,}|change[-_]?me|placeholder", re.IGNORECASE
)


class GivenValueError(ValueError):
    """A value cannot be used; the text names its setting and says what to do."""


def tidy(name: str, value: str) -> str:
    """Return a value without what was copied along with it: its own name, quotes, a comment after a blank.

    Args:
        name: of the setting.
        value: as it was written; a value that is a comment alone comes back empty.
    """
    value = _AROUND.sub("", value)
    for _ in range(3):  # a comment behind quotes, quotes behind a name, …
        value = re.sub(rf"\A(export\s+|set\s+|\$env:)?{name}\s*[=:]\s*", "", value)
        if len(value) > 1 and _QUOTES.get(value[0]) == value[-1]:
            value = _AROUND.sub("", value[1:-1])
        elif name != FOLDER:  # the name of a folder may contain ` #`
            value = _AROUND.sub("", _COMMENT.sub("", value))
        if name.endswith("_KEY") and (scheme := _SCHEME.match(value)):
            value = value[scheme.end() :]
    return "" if value.startswith("#") else value


def read_file(path: Path, names: Collection[str]) -> dict[str, str]:
    """Return the values of a `secrets.toml`, from its section and from in front of all sections.

    Args:
        path: of the file; it need not exist.
        names: of settings. They are recognised in any case; other names are left out.

    Raises:
        GivenValueError: the file cannot be read.
    """
    return {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in _values(path).items()
        if name in names
    }


def unknown_names(path: Path, names: Collection[str]) -> list[str]:
    """Return what a `secrets.toml` names like a setting without being one.

    Raises:
        GivenValueError: as `read_file`.
    """
    return [name for name in _values(path) if name.startswith(("STUDIO_", "KLINGAI_")) and name not in names]


def _values(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        # The parser's own message is not shown: it quotes the line, and the line may be the key.
        raise GivenValueError(
            f"{path} cannot be read as TOML: put every value in quotes, and save the file as UTF-8."
        ) from None
    found: dict[str, Any] = {name.upper(): value for name, value in data.items()}
    section = found.pop(SECTION.upper(), {})
    if not isinstance(section, dict):
        raise GivenValueError(f"{path}: [{SECTION}] has to be a section.")
    return found | {name.upper(): value for name, value in section.items()}


def credentials(get: Mapping[str, str]) -> Credentials | None:
    """Return the key or the pair of keys of an account, None without one.

    Args:
        get: the value of each of `KEYS`, empty where it is not set.

    Raises:
        GivenValueError: one of them is no key, or half of a pair is missing. It shows none of them.
    """
    api_key, access, secret = (get[name] for name in KEYS)
    # Other programs take both keys in one setting, as `access|secret`.
    if api_key.count("|") == 1 and not access and not secret:
        api_key, (access, secret) = "", _halves(api_key, "KLINGAI_API_KEY")
    elif access.count("|") == 1 and not secret:
        access, secret = _halves(access, "KLINGAI_ACCESS_KEY")
    for name, value in zip(KEYS, (api_key, access, secret), strict=True):
        _check(name, value)
    if api_key:
        return ApiKey(api_key)
    if bool(access) != bool(secret):
        missing = "KLINGAI_SECRET_KEY" if access else "KLINGAI_ACCESS_KEY"
        raise GivenValueError(f"{missing} is missing: the two keys belong together.")
    return KeyPair(access, secret) if access else None


def _check(name: str, value: str) -> None:
    if _NO_KEY.search(value):
        raise GivenValueError(
            f"{name} holds a character that no key has: copy it again, the key alone, without blanks, "
            "quotes or a comment."
        )
    if value.startswith(("$", "%")):
        raise GivenValueError(f"{name} is a variable that nothing has filled in here: give the key itself.")
    if _PLACEHOLDER.fullmatch(value):
        raise GivenValueError(
            f"{name} is the placeholder of an example: give the key itself, or unset it for the sandbox."
        )


def _halves(text: str, name: str) -> tuple[str, str]:
    access, _, secret = (part.strip() for part in text.partition("|"))
    if not access or not secret:
        raise GivenValueError(
            f"{name} holds one half of access|secret: set KLINGAI_ACCESS_KEY and KLINGAI_SECRET_KEY."
        )
    return access, secret
