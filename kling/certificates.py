"""Which certificates the servers on the other end may have, where it is not `requests` that decides."""

from __future__ import annotations

import os


def trusted_certificates() -> str | bool:
    """Return the path that the environment names, as `requests` reads it; True for the usual certificates."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
