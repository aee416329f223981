"""Limits of transfers that hold where a caller names no others."""

from __future__ import annotations

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0  # seconds
MAX_BYTES = 2 * 2**30  # of a downloaded file
