"""Amounts in words: Units, money, and how many there are of something."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

_CENT = Decimal("0.01")
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


def in_cents(number: Decimal) -> Decimal:
    """Return an amount as `money` prints it."""
    return number.quantize(_CENT)


def shares_in_cents(parts: Sequence[Decimal], total: Decimal) -> list[Decimal]:
    """Return amounts in whole cents that add up to their sum as it is printed.

    Each is rounded down. The cents that are missing then go to those that lost most, one to each.

    Args:
        parts: the exact amounts.
        total: their sum, rounded up or down to cents.
    """
    shares = [part.quantize(_CENT, ROUND_FLOOR) for part in parts]
    missing = int((total - sum(shares)) / _CENT)
    by_loss = sorted(range(len(parts)), key=lambda each: shares[each] - parts[each])
    for each in by_loss[: max(missing, 0)]:
        shares[each] += _CENT
    return shares


def units(number: Decimal) -> str:
    """Return a number of Units."""
    return f"{amount(number)} {'Unit' if number == 1 else 'Units'}"


def counted(number: int, one: str, many: str) -> str:
    """Return a number with the word that goes with it."""
    return f"{number:,} {one if number == 1 else many}"


def _with_currency(number: str, currency: str) -> str:
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency}".strip()
