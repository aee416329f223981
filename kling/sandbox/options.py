"""The options of `python -m kling.sandbox`, and what the program says about them."""

from __future__ import annotations

import argparse
import os

from kling.sandbox.auth import ACCESS_KEY, API_KEY, SECRET_KEY, Keys
from kling.sandbox.body_faults import BODY_FAULTS
from kling.sandbox.callbacks import decode_secret
from kling.sandbox.loopback import is_loopback
from kling.sandbox.pace import FORMS, Pace, parse_pace
from kling.sandbox.settings import Settings

# Keys may also come from the environment: those on the command line show in the list of processes.
_VARIABLES = ("SANDBOX_ACCESS_KEY", "SANDBOX_SECRET_KEY", "SANDBOX_API_KEY")
_EPILOG = """The first line it prints is its address; the next ones are the variables to connect with.
Whoever gives an API key or a pair of keys switches the well-known other kind off. A prompt with the word
sandbox-1301, or any other code of the API, gets that answer; with sandbox-failed its task fails later. More
can be planned under /_sandbox/ (kling/sandbox/control.py says what); faults that need a raw socket go
through python -m kling.sandbox.proxy."""


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options of the program, or end it with an explanation of what is wrong.

    Args:
        arguments: of the command line; None: those of this process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m kling.sandbox",
        description="A local service that speaks both generations of Kling's API and draws MP4s, for free.",
        epilog=_EPILOG,
    )
    _add_address(parser)
    _add_account(parser)
    _add_behaviour(parser)
    return parser.parse_args(arguments)


def settings(options: argparse.Namespace) -> Settings:
    """Return the engine's settings that the options ask for."""
    return Settings(
        keys=_keys(options),
        concurrency=options.concurrency,
        units=options.units,
        pace=options.pace,
        retired=options.retired,
        strict=options.strict,
        lag=options.lag,
        duplicates=options.duplicates,
        faults=frozenset(options.fault),
    )


def greeting(url: str, options: argparse.Namespace) -> str:
    """Return what the program prints as soon as it accepts connections; the studio reads the first line."""
    keys = settings(options).keys
    lines = [f"Kling sandbox: {url}", f"KLINGAI_BASE_URL={url}"]
    if any(name in os.environ for name in _VARIABLES):
        lines += ["Keys: from the environment"]
    else:
        named = {"ACCESS_KEY": keys.access_key, "SECRET_KEY": keys.secret_key, "API_KEY": keys.api_key}
        lines += [f"KLINGAI_{name}={key}" for name, key in named.items() if key]
    return "\n".join(lines) + "\n"


def warning(options: argparse.Namespace) -> str:
    """Return a warning if other machines can use the sandbox with a well-known key, or an empty text."""
    keys = settings(options).keys
    known = {keys.secret_key, keys.api_key} & {SECRET_KEY, API_KEY}
    if known and not is_loopback(options.host):
        return "Other machines can reach this sandbox, and it takes a well-known key: give your own.\n"
    return ""


def _keys(options: argparse.Namespace) -> Keys:
    """Return the keys. A key that the operator gives switches off the well-known key of the other kind."""
    given = (options.access_key, options.secret_key, options.api_key)
    own = [key or os.environ.get(name, "") for key, name in zip(given, _VARIABLES, strict=True)]
    access_key, secret_key, api_key = own
    if access_key or secret_key or not api_key:
        access_key, secret_key = access_key or ACCESS_KEY, secret_key or SECRET_KEY
    if not any(own):
        api_key = API_KEY
    return Keys(access_key=access_key, secret_key=secret_key, api_key=api_key)


def _add_address(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("where it is").add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)")
    add("--port", type=int, default=0, help="port to listen on (default: a free one)")
    add(
        "--tls-certificate",
        metavar="FILE",
        help="serve https, for clients that insist on it: a PEM certificate",
    )
    add("--tls-key", metavar="FILE", help="the certificate's key, if it is not in the same file")
    add("--data", metavar="DIR", help="keep tasks and clips here (default: a temporary folder)")
    add(
        "--child",
        action="store_true",
        help="for a parent process: run at low priority, and end when stdin ends",
    )


def _add_account(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("its account").add_argument
    add("--access-key", help=f"access key (default: $SANDBOX_ACCESS_KEY or {ACCESS_KEY})")
    add("--secret-key", help=f"secret key, at least 32 bytes (default: $SANDBOX_SECRET_KEY or {SECRET_KEY})")
    add("--api-key", help=f"API key (default: $SANDBOX_API_KEY or {API_KEY})")
    add("--concurrency", type=_positive, default=20, help="tasks in flight per model (default: %(default)s)")
    add("--units", type=_amount, help="Units in the pack bought at the start (default: no pack, no limit)")


def _add_behaviour(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how it behaves").add_argument
    # Both variables are for tests: they also reach the sandbox that the studio starts.
    pace = os.environ.get("SANDBOX_PACE") or "default"
    add(
        "--pace",
        type=_pace,
        default=pace,
        help=f"how fast tasks go: {FORMS} (default: $SANDBOX_PACE, or done after 3 s)",
    )
    clips = "a clip for each task, or tiny ready-made ones (default: $SANDBOX_CLIPS, or drawn)"
    tiny = os.environ.get("SANDBOX_CLIPS") == "tiny"
    add("--clips", choices=("drawn", "tiny"), default="tiny" if tiny else "drawn", help=clips)
    retired = (
        "what becomes of models that Kling has retired, and of a body without model_name (default: refuse)"
    )
    add("--retired", choices=("serve", "refuse"), default="refuse", help=retired)
    add(
        "--lag",
        type=_amount,
        default=0.0,
        metavar="SECONDS",
        help="show new tasks so much later (default: 0)",
    )
    duplicates = "what becomes of a second create with the same external_task_id (default: refuse)"
    add("--duplicates", choices=("accept", "refuse"), default="refuse", help=duplicates)
    fault = f"of all answers; may be given several times: {', '.join(sorted(BODY_FAULTS))}"
    add("--fault", action="append", choices=sorted(BODY_FAULTS), default=[], metavar="NAME", help=fault)
    strict = (
        "refuse unknown keys, integer durations, cfg_scale where a model has none, a missing Content-Type "
        "and hasty account queries"
    )
    add("--strict", action="store_true", help=strict)
    callbacks = "hosts that callbacks may go to (default: loopback)"
    add("--callbacks", choices=("loopback", "anywhere"), default="loopback", help=callbacks)
    add(
        "--callback-secret",
        type=_secret,
        default=os.environ.get("SANDBOX_CALLBACK_SECRET", ""),
        help="whsec_… to sign callbacks with (default: $SANDBOX_CALLBACK_SECRET, or unsigned)",
    )
    add("--callback-secret-from-stdin", action="store_true", help="the first line of stdin is that secret")


def _pace(text: str) -> Pace:
    try:
        return parse_pace(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _secret(text: str) -> str:
    try:
        decode_secret(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be whsec_ and base64") from error
    return text


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _amount(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("must be a number of at least 0")
    return number
