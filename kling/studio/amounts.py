"""Amounts in words: Units and money."""

from __future__ import annotations

from decimal import Decimal

_SYMBOLS = {"USD": "$", "CNY": "¥"}


def amount(number: Decimal) -> str:
    """Return a number without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(number: Decimal, currency: str) -> str:
    """Return an amount of money."""
    return _with_currency(f"{number:.2f}", currency)


def round_money(number: Decimal, currency: str) -> str:
    """Return an amount of money, without cents if it has none."""
    return _with_currency(amount(number) if number == int(number) else f"{number:.2f}", currency)


def units(number: Decimal) -> str:
    """Return a number of Units."""
    return f"{amount(number)} {'Unit' if number == 1 else 'Units'}"


def _with_currency(number: str, currency: str) -> str:
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency}".strip()
