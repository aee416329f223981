"""Settings: the environment first, then `.streamlit/secrets.toml` under `[kling]`, then defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kling import callbacks
from kling.auth import ApiKey, Credentials, KeyPair
from kling.client import SINGAPORE

CALLBACK_PATH = "/callbacks"  # below the server's base path
NAMES = (
    "KLINGAI_API_KEY",
    "KLINGAI_ACCESS_KEY",
    "KLINGAI_SECRET_KEY",
    "KLINGAI_BASE_URL",
    "STUDIO_DATA_DIR",
    "STUDIO_CALLBACK_URL",
    "STUDIO_PUBLIC_URL",
    "STUDIO_WEBHOOK_SECRET",
)


class SettingsError(Exception):
    """A setting cannot be used; the text names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decides.

    Args:
        credentials: None starts the sandbox.
        base_url: of the API; used with credentials only.
        data_dir: holds the log, the videos and the sandbox's tasks.
        callback_url: sent with every task, if set; below `public_url`, or a foreign receiver's.
        public_url: under which Kling reaches this studio; empty: it gets no callbacks.
        webhook_secret: callbacks that it did not sign are refused; empty: all are taken as hints.
    """

    credentials: Credentials | None = field(default=None, repr=False)
    base_url: str = SINGAPORE
    data_dir: Path = Path("data")
    callback_url: str = ""
    public_url: str = ""
    webhook_secret: str = field(default="", repr=False)

    @property
    def account(self) -> str:
        """`sandbox`, or the API's host with a fingerprint of the key: the log never mixes two accounts."""
        if self.credentials is None:
            return "sandbox"
        return f"{urlsplit(self.base_url).netloc.lower()}#{self.credentials.fingerprint}"


def load(env: Mapping[str, str], secrets: Path, *, root: Path, base: str = "") -> Settings:
    """Read the settings.

    Args:
        env: the environment.
        secrets: path of `secrets.toml`; it need not exist.
        root: what a relative data folder is relative to.
        base: the path below which the server answers, without a slash at its end.

    Raises:
        SettingsError: a value cannot be used.
    """
    stored, given = _secrets(secrets), {name: env[name] for name in NAMES if env.get(name, "").strip()}
    if given.keys() & {"KLINGAI_ACCESS_KEY", "KLINGAI_SECRET_KEY"}:
        stored.pop("KLINGAI_API_KEY", None)  # else the file would win over the environment
    values = stored | given
    get = {name: values.get(name, "").strip() for name in NAMES}
    base_url = get["KLINGAI_BASE_URL"] or SINGAPORE
    for name in ("KLINGAI_BASE_URL", "STUDIO_CALLBACK_URL", "STUDIO_PUBLIC_URL"):
        if get[name] and not _is_address(get[name]):
            raise SettingsError(
                f"{name} is not an address: it has to be https:// and a host, without a password."
            )
    public_url, callback_url = _callbacks(get, base)
    return Settings(
        credentials=_credentials(get),
        base_url=base_url.rstrip("/"),
        data_dir=root / (get["STUDIO_DATA_DIR"] or "data"),
        callback_url=callback_url,
        public_url=public_url,
        webhook_secret=get["STUDIO_WEBHOOK_SECRET"],
    )


def _callbacks(get: Mapping[str, str], base: str) -> tuple[str, str]:
    """Return the public address, and the one that goes with every task.

    The latter holds no secret, for it stands in the log: a callback is only a hint (README, Callbacks).
    """
    public, foreign = get["STUDIO_PUBLIC_URL"].rstrip("/").lower(), get["STUDIO_CALLBACK_URL"]
    if public and foreign:
        raise SettingsError(
            "STUDIO_PUBLIC_URL and STUDIO_CALLBACK_URL are both set, but a task has one address for them. "
            "Unset the first to send them to another program, or the second to receive them here."
        )
    if urlsplit(public).path or not set(public).isdisjoint("?#"):
        raise SettingsError(
            "STUDIO_PUBLIC_URL has a path: give scheme, host and port only. "
            "server.baseUrlPath is added by itself."
        )
    try:
        if get["STUDIO_WEBHOOK_SECRET"]:
            callbacks.key(get["STUDIO_WEBHOOK_SECRET"])
    except ValueError:
        raise SettingsError(
            "STUDIO_WEBHOOK_SECRET is not one of Kling's: copy it again, it is whsec_ and base64."
        ) from None
    return public, f"{public}{base}{CALLBACK_PATH}" if public else foreign


def _secrets(path: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        # Not the parser's own words: they quote the line, and the line may be the key.
        raise SettingsError(f"{path} cannot be read as TOML: put every value in quotes.") from None
    section = data.get("kling", {})
    if not isinstance(section, dict):
        raise SettingsError(f"{path}: [kling] has to be a section.")
    return {name: str(value) for name, value in section.items() if name in NAMES}


def _credentials(get: Mapping[str, str]) -> Credentials | None:
    api_key, access, secret = (
        get[name] for name in ("KLINGAI_API_KEY", "KLINGAI_ACCESS_KEY", "KLINGAI_SECRET_KEY")
    )
    for name in ("KLINGAI_API_KEY", "KLINGAI_ACCESS_KEY", "KLINGAI_SECRET_KEY"):
        if not (get[name].isascii() and (get[name] + "x").isprintable()):
            raise SettingsError(f"{name} holds a character that no key has: copy it again.")
    if api_key:
        return ApiKey(api_key)
    if bool(access) != bool(secret):
        missing = "KLINGAI_SECRET_KEY" if access else "KLINGAI_ACCESS_KEY"
        raise SettingsError(f"{missing} is missing: the two keys belong together.")
    return KeyPair(access, secret) if access else None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
        )
    except ValueError:
        return False
