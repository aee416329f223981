"""Settings: the environment first, then `.streamlit/secrets.toml` under `[kling]`, then defaults.

A value is often copied with something around it: quotes, `Bearer `, a comment, a path of the API. That is
taken off where only one value can have been meant (`given_values`). Anything else is refused, with a text
that says what to write instead.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from kling import json_values, webhooks
from kling.addresses import BadAddress, is_trusted, origin
from kling.auth import Credentials
from kling.catalog import catalog
from kling.client import SINGAPORE
from kling.endpoint import TEXT_TO_VIDEO
from kling.studio import given_values, running_settings, share_settings, sign_in_settings, time_zone
from kling.studio.assistant import settings as assistant_settings
from kling.studio.assistant.settings import AssistantError, AssistantSettings
from kling.studio.given_values import GivenValueError
from kling.studio.running_settings import RunningError, RunningSettings
from kling.studio.share_settings import Sharing, SharingError
from kling.studio.sign_in_settings import SignInError, SignInSettings
from kling.studio.time_zone import ZoneError

CALLBACK_PATH = "/callbacks"  # below the server's base path
NAMES = (
    *given_values.KEYS,
    "KLINGAI_BASE_URL",
    "STUDIO_VIDEO_HOSTS",
    "STUDIO_UNIT_PRICE",
    "STUDIO_CURRENCY",
    "STUDIO_TIMEZONE",
    "STUDIO_DATA_DIR",
    "STUDIO_CALLBACK_URL",
    "STUDIO_PUBLIC_URL",
    "STUDIO_CALLBACKS",
    "STUDIO_WEBHOOK_SECRET",
    *sign_in_settings.NAMES,
    *running_settings.NAMES,
    *assistant_settings.NAMES,
    *share_settings.NAMES,
)
KLINGS = frozenset({"klingai.com", ".klingai.com"})  # Kling's own hosts, which need no path of a gateway
# Hosts of Kling's pages for people.
PAGES = frozenset({"kling.ai", ".kling.ai", "klingai.com", "www.klingai.com", "app.klingai.com"})
_KLINGS_HOST = re.compile(r"([a-z0-9-]+\.)+klingai\.com(?![\w.-])", re.IGNORECASE)  # without https://
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
CATALOG_CURRENCY = "USD"  # of the list price in the catalog
# The whole path of the API, and how it begins.
_API_PATHS = tuple("/".join(TEXT_TO_VIDEO.path.split("/")[:count]) for count in (4, 3, 2))
_GATEWAY = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*")
_SWITCH = {
    "on": True,
    "true": True,
    "yes": True,
    "1": True,
    "off": False,
    "false": False,
    "no": False,
    "0": False,
}
_UNEXPANDED = re.compile(r"\$[{(A-Za-z_]|%[A-Za-z_]+%")


class SettingsError(Exception):
    """A setting cannot be used; the text names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the operator.

    Args:
        credentials: of the account; None starts the sandbox.
        base_url: of the API, with the path of a gateway if there is one; used only with credentials.
        video_hosts: hosts of videos that may have private addresses: names, or `.suffixes` of names.
        unit_price: what one of Kling's Units costs.
        currency: of `unit_price`, as three letters.
        timezone: whose days and months budgets count.
        data_dir: the folder of the log, the videos and the sandbox's tasks.
        callback_url: sent with every request, if set: an address of this studio or of another program.
        public_url: the address where people reach this studio, without its base path; empty if none is set.
        receives_callbacks: whether Kling is told to call that address.
        webhook_secret: callbacks that are not signed with it are refused; if empty, none is refused.
        sign_in: who may come in, and how.
        running: log output and figures.
        assistant: the server of the prompt assistant; None where there is none.
        sharing: who may see what is shared: nobody (`off`), the team, or anyone who has the link.
        secrets_file: where the settings of `secrets.toml` were looked for; None if they come from a test.
    """

    credentials: Credentials | None = field(default=None, repr=False)
    base_url: str = SINGAPORE
    video_hosts: frozenset[str] = frozenset()
    unit_price: Decimal = field(default_factory=lambda: catalog().unit_usd)
    currency: str = CATALOG_CURRENCY
    timezone: tzinfo = UTC
    data_dir: Path = Path("data")
    callback_url: str = ""
    public_url: str = ""
    receives_callbacks: bool = False
    webhook_secret: str = field(default="", repr=False)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    running: RunningSettings = field(default_factory=RunningSettings)
    assistant: AssistantSettings | None = None
    sharing: Sharing = "team"
    secrets_file: Path | None = field(default=None, compare=False)

    @property
    def account(self) -> str:
        """The name of the account in the log: `sandbox`, or the API's host with a fingerprint of the key."""
        if self.credentials is None:
            return "sandbox"
        return f"{urlsplit(self.base_url).netloc.lower()}#{self.credentials.fingerprint}"


def load(env: Mapping[str, str], secrets: Path, *, root: Path, base: str = "") -> Settings:
    """Read the settings.

    Args:
        env: the environment.
        secrets: path of `secrets.toml`; it need not exist.
        root: the folder to which a relative path of the data folder is relative.
        base: the path below which the server answers, without a slash at its end.

    Raises:
        SettingsError: a value cannot be used.
    """
    given = {name: env[name] for name in NAMES if env.get(name, "").strip()}
    try:
        stored = given_values.read_file(secrets, NAMES)
    except GivenValueError as error:
        raise SettingsError(str(error)) from None
    if given.keys() & {"KLINGAI_ACCESS_KEY", "KLINGAI_SECRET_KEY"}:
        stored.pop("KLINGAI_API_KEY", None)  # an API key wins over a pair, but the environment over the file
    values = stored | given
    get = {name: given_values.tidy(name, values.get(name, "")) for name in NAMES}
    if _KLINGS_HOST.match(get["KLINGAI_BASE_URL"]):
        get["KLINGAI_BASE_URL"] = f"https://{get['KLINGAI_BASE_URL']}"
    for name in ("KLINGAI_BASE_URL", "STUDIO_CALLBACK_URL", "STUDIO_PUBLIC_URL"):
        if get[name] and not _is_address(get[name]):
            raise SettingsError(
                f"{name} is not an address: it has to be https:// and a host, without a password."
            )
    public_url, callback_url, receives_callbacks = _callbacks(get, base)
    try:
        sign_in = sign_in_settings.read(get)
        running = running_settings.read(get)
        zone = time_zone.read(get["STUDIO_TIMEZONE"])
        assistant = assistant_settings.read(get)
        sharing = share_settings.read(get["STUDIO_SHARING"])
        credentials = given_values.credentials(get)
    except (SignInError, RunningError, ZoneError, AssistantError, SharingError, GivenValueError) as error:
        raise SettingsError(str(error)) from None
    unit_price, currency = _price(get["STUDIO_UNIT_PRICE"], get["STUDIO_CURRENCY"])
    return Settings(
        credentials=credentials,
        base_url=_base_url(get["KLINGAI_BASE_URL"]),
        video_hosts=_hosts(get["STUDIO_VIDEO_HOSTS"]),
        unit_price=unit_price,
        currency=currency,
        timezone=zone,
        data_dir=root / _folder(get["STUDIO_DATA_DIR"] or "data", env),
        callback_url=callback_url,
        public_url=public_url,
        receives_callbacks=receives_callbacks,
        webhook_secret=get["STUDIO_WEBHOOK_SECRET"],
        sign_in=sign_in,
        running=running,
        assistant=assistant,
        sharing=sharing,
        secrets_file=secrets,
    )


def _base_url(url: str) -> str:
    """Return the address without the API's own path: scheme, host and port, and the path of a gateway.

    People copy the whole address, because documentation and other programs call it the base URL.
    """
    if not url:
        return SINGAPORE
    remedy = (
        f"give scheme, host and port only, such as {SINGAPORE}, "
        f"and for a gateway also the path in front of {TEXT_TO_VIDEO.path}."
    )
    try:
        found = origin(url)
    except BadAddress as error:
        raise SettingsError(f"KLINGAI_BASE_URL is not an address: {error}; {remedy}") from None
    if "?" in url or "#" in url:
        raise SettingsError(f"KLINGAI_BASE_URL has a query or a fragment: {remedy}")
    if is_trusted(found.host, PAGES):
        raise SettingsError(f"KLINGAI_BASE_URL is the address of Kling’s pages and not of its API: {remedy}")
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    path = path[: len(path) - len(next(filter(path.lower().endswith, _API_PATHS), ""))]
    is_of_api = f"{_API_PATHS[1]}/" in f"{path.lower()}/" or is_trusted(found.host, KLINGS)
    if path and (is_of_api or not _GATEWAY.fullmatch(path)):
        raise SettingsError(f"KLINGAI_BASE_URL has a path that is not the API's: {remedy}")
    if found.scheme != "https" and not found.is_loopback:
        raise SettingsError(
            "KLINGAI_BASE_URL is plain http, so that anybody on the way could read the key: use https://. "
            "Only an address on this machine (http://127.0.0.1) may be without."
        )
    default = ":443" if found.scheme == "https" else ":80"
    return f"{found.scheme}://{parts.netloc.lower().removesuffix(default).rstrip(':')}{path}"


def _hosts(text: str) -> frozenset[str]:
    """Return the names and `.suffixes` of a list with commas; whole addresses and `*.` are accepted too."""
    hosts = set()
    for each in filter(None, (part.strip().strip("\"'").lower() for part in re.split(r"[,;\s]+", text))):
        host = re.sub(r"\Ahttps?://([^/?#]*).*", r"\1", each).removeprefix("*").rstrip(".")
        name = host.removeprefix(".")
        if not (_is_ip(host.strip("[]")) or (_HOST.fullmatch(name) and (host == name or "." in name))):
            raise SettingsError(
                f"STUDIO_VIDEO_HOSTS: {each[:60]!r} is no host. Give names with commas between them, without "
                "ports: cdn.example.com for one host, .example.com for every host of a domain."
            )
        hosts.add(host.strip("[]"))
    return frozenset(hosts)


def _is_ip(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _price(price: str, currency: str) -> tuple[Decimal, str]:
    currency = (currency or CATALOG_CURRENCY).upper()
    if not re.fullmatch("[A-Z]{3}", currency):
        raise SettingsError(
            f"STUDIO_CURRENCY is {currency[:20]!r}: give the three letters of a currency, such as USD or CNY."
        )
    if not price:
        if currency != CATALOG_CURRENCY:
            raise SettingsError(
                f"STUDIO_CURRENCY is {currency} and STUDIO_UNIT_PRICE is not set: the list price is in "
                f"{CATALOG_CURRENCY}. Set STUDIO_UNIT_PRICE to what a Unit costs this account in {currency}."
            )
        return catalog().unit_usd, currency
    found = json_values.number(price)
    if found is None or found <= 0:
        raise SettingsError(
            f"STUDIO_UNIT_PRICE is {price[:20]!r}: give the price of one Unit as a number above 0 with a "
            "point, such as 0.126, and its currency in STUDIO_CURRENCY."
        )
    return found, currency


def _folder(text: str, env: Mapping[str, str]) -> Path:
    """Return the data folder, with `~` expanded as a shell does."""
    if _UNEXPANDED.search(text) or re.search(r"\s#", text) or not text.isprintable():
        raise SettingsError(
            "STUDIO_DATA_DIR holds a variable, a comment or a line break that nobody has expanded or cut off "
            "here: give the path itself."
        )
    if "://" in text or (os.name != "nt" and _WINDOWS.match(text)):
        raise SettingsError(
            "STUDIO_DATA_DIR is no path of this machine: give the whole path, such as /srv/studio/data."
        )
    home = env.get("HOME", "")
    if home and (text == "~" or text.startswith("~/")):
        return Path(home + text[1:])
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise SettingsError(
            f"STUDIO_DATA_DIR begins with {text.partition('/')[0]!r}, and nobody here has that home folder: "
            "give the whole path."
        ) from None


def _callbacks(get: Mapping[str, str], base: str) -> tuple[str, str, bool]:
    """Return the public address, the callback address of every request, and whether that is this studio's.

    A callback address contains no secret, because it is written to the log. It needs none: a callback is only
    a hint (README, Callbacks). A set-up that has STUDIO_PUBLIC_URL and nothing on sign-in is one of before
    there was a sign-in, when the address had no other use: it keeps its callbacks.
    """
    public, foreign = get["STUDIO_PUBLIC_URL"].rstrip("/").lower(), get["STUDIO_CALLBACK_URL"]
    is_old = bool(public) and not any(get[name] for name in sign_in_settings.NAMES)
    wanted = _switch("STUDIO_CALLBACKS", get["STUDIO_CALLBACKS"], default=is_old)
    if wanted and not public:
        raise SettingsError(
            "STUDIO_CALLBACKS is on and STUDIO_PUBLIC_URL is not set: give the address at which Kling "
            "reaches this studio, such as https://studio.example.com."
        )
    if wanted and foreign:
        name = "STUDIO_CALLBACKS" if get["STUDIO_CALLBACKS"] else "STUDIO_PUBLIC_URL"
        raise SettingsError(
            f"{name} and STUDIO_CALLBACK_URL are both set, but a task has one address for them. "
            "Set STUDIO_CALLBACKS=off to send them to another program, or unset the second to receive them "
            "here."
        )
    if urlsplit(public).path or not set(public).isdisjoint("?#"):
        raise SettingsError(
            "STUDIO_PUBLIC_URL has a path: give scheme, host and port only. "
            "server.baseUrlPath is added by itself."
        )
    try:
        if get["STUDIO_WEBHOOK_SECRET"]:
            webhooks.key(get["STUDIO_WEBHOOK_SECRET"])
    except ValueError:
        raise SettingsError(
            "STUDIO_WEBHOOK_SECRET is not one of Kling's: copy it again, it is whsec_ and base64."
        ) from None
    return public, f"{public}{base}{CALLBACK_PATH}" if wanted else foreign, wanted


def _switch(name: str, text: str, *, default: bool) -> bool:
    if not text:
        return default
    if text.lower() not in _SWITCH:
        raise SettingsError(f"{name} is {text[:20]!r}: set it to on or off.")
    return _SWITCH[text.lower()]


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
