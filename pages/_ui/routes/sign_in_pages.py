"""The pages of signing in and out, as plain HTML: no Streamlit, and no script is needed.

Every text that comes from outside goes through `escape`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse

from pages._ui.address import base_path

FOLDER = Path(__file__).parent / "public"
# Nothing but these pages' own style, script, pictures and font; no frame of anybody has them.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    # A link of an invitation holds a secret, and a typed name comes back: nobody keeps these pages.
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
# Posters of the templates, never clips of the team: column by column, each with its shape.
PICTURES: tuple[tuple[tuple[str, str], ...], ...] = (
    (("harbour-1900", "wide"), ("neon-chase", "tall"), ("sneaker-desert", "wide"), ("aurora-lake", "wide")),
    (("tower-tilt", "tall"), ("whale-deep", "wide"), ("watch-macro", "square"), ("horses-dust", "wide")),
    (
        ("fox-snow", "wide"),
        ("coast-drone", "square"),
        ("vertical-street-dance", "tall"),
        ("poppies-storm", "wide"),
    ),
    (("ramen-steam", "square"), ("balloons-dawn", "tall"), ("train-window", "wide"), ("mars-rover", "wide")),
    (("paper-city", "wide"), ("portrait-neon", "tall"), ("dragon-castle", "wide"), ("ink-crane", "square")),
)
POSTERS = frozenset(name for column in PICTURES for name, _ in column)

_PAGE = (FOLDER / "page.html").read_text(encoding="utf-8")
_ARROW = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 21v-2h7V5h-7V3h7q.825 0 1.413.588T21 5v14q0 '
    '.825-.587 1.413T19 21zm-2-4-1.375-1.45 2.55-2.55H3v-2h8.175l-2.55-2.55L10 7l5 5z"/></svg>'
)


def page(
    title: str,
    words: str,
    *parts: str,
    note: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page.

    Args:
        title: its sentence.
        words: what stands below it; empty for none.
        parts: HTML of what can be done.
        note: the small line at the bottom.
        status: of the answer.
        headers: more of them.
    """
    values = {
        "base": escape(base_path()),
        "title": escape(title),
        "words": f"<p class=lead>{escape(words)}</p>" if words else "",
        "parts": "\n".join(filter(None, parts)),
        "note": f"<p class=note>{escape(note)}</p>" if note else "",
        "pictures": _pictures(),
    }
    return HTMLResponse(_PAGE.format_map(values), status, {**HEADERS, **(headers or {})})


def alert(words: str) -> str:
    """Return words about what went wrong, which readers say at once; nothing without words."""
    return f'<p class="said bad" role="alert" id="wrong">{escape(words)}</p>' if words else ""


def status(words: str) -> str:
    """Return words about what happened; nothing without words."""
    return f'<p class="said" role="status">{escape(words)}</p>' if words else ""


def hidden(**values: str) -> str:
    """Return fields of a form that nobody sees; those without a value are left out."""
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in values.items()
        if value
    )


def name_and_password(to: str, *, name: str = "", wrong: bool = False) -> str:
    """Return the form for a named account.

    Args:
        to: where it leads.
        name: as it was typed.
        wrong: whether what was typed before was refused.
    """
    about = ' aria-invalid="true" aria-describedby="wrong"' if wrong else ""
    first, second = ("", " autofocus") if name else (" autofocus", "")
    return (
        f'<form method="post" action="{base_path()}/sign-in" data-pending="Signing in…">{hidden(to=to)}'
        '<label for="name">Name</label>'
        f'<input id="name" name="name" type="text" value="{escape(name)}" maxlength="60" required '
        f'autocomplete="username" autocapitalize="none" spellcheck="false"{about}{first}>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" maxlength="1024" required '
        f'autocomplete="current-password"{about}{second}>'
        f"{button('Sign in')}</form>"
    )


def new_password(token: str, name: str, least: int, *, wrong: bool = False) -> str:
    """Return the form of an invitation.

    Args:
        token: of its link.
        name: of the account, for password managers.
        least: the fewest characters of a password.
        wrong: whether the password before was refused.
    """
    about = "wrong rule" if wrong else "rule"
    invalid = ' aria-invalid="true"' if wrong else ""
    action = f"{base_path()}/sign-in/invitation/{escape(token)}"
    return (
        f'<form method="post" action="{action}" data-pending="Signing in…">'
        f'<label for="name">Name</label><input id="name" type="text" value="{escape(name)}" readonly '
        'autocomplete="username">'
        '<label for="password">New password</label>'
        f'<input id="password" name="password" type="password" maxlength="1024" minlength="{least}" required '
        f'autocomplete="new-password" aria-describedby="{about}"{invalid} autofocus>'
        f'<p class="rule" id="rule">At least {least} characters. A few words in a row are easy to keep in '
        f"mind.</p>{button('Set the password and sign in')}</form>"
    )


def button(words: str, *, second: bool = False) -> str:
    """Return the button that sends a form.

    Args:
        words: on it.
        second: it is not the one that is meant most.
    """
    return f'<button type="submit"{" class=second" if second else ""}>{escape(words)}</button>'


def press(path: str, words: str, *, second: bool = False, **values: str) -> str:
    """Return a form that is only a button.

    Args:
        path: below the base path.
        words: on the button.
        second: it is not the one that is meant most.
        values: sent along.
    """
    inside = hidden(**values) + button(words, second=second)
    return f'<form method="post" action="{base_path()}{path}">{inside}</form>'


def link(address: str, words: str, *, second: bool = False) -> str:
    """Return a link that looks like a button, with an arrow through a door.

    Args:
        address: within this server.
        words: on it.
        second: it is not the one that is meant most.
    """
    kind = "button second" if second else "button"
    return f'<a class="{kind}" href="{escape(address)}">{_ARROW}{escape(words)}</a>'


def again(address: str, words: str = "Try again") -> str:
    """Return a plain link.

    Args:
        address: within this server.
        words: of the link.
    """
    return f'<p class="ask"><a href="{escape(address)}">{escape(words)}</a></p>'


def divider() -> str:
    """Return what stands between two ways in."""
    return '<p class="or"><span>or</span></p>'


def ask(
    contact: str, admins: Sequence[str] = (), words: str = "No access, or password forgotten? Ask"
) -> str:
    """Return whom to ask for access.

    Args:
        contact: an e-mail address or a few words; empty if nobody is named.
        admins: names of people who can give access.
        words: in front of that.
    """
    if "@" in contact and " " not in contact:
        whom = f'<a href="mailto:{escape(contact)}">{escape(contact)}</a>'
    else:
        whom = escape(contact or " or ".join(admins) or "an admin of the studio")
    return f'<p class="ask">{escape(words)} {whom}</p>'


def _pictures() -> str:
    base = base_path()
    return "".join(
        "<div>"
        + "".join(
            f'<img class="{shape}" src="{base}/public/posters/{name}.jpg" alt="" loading="lazy">'
            for name, shape in (*column, *column)  # twice, for high windows
        )
        + "</div>"
        for column in PICTURES
    )
