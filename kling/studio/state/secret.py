"""Secrets of a data folder: made once, kept in its database, never shown."""

from __future__ import annotations

import secrets as chance

from sqlalchemy import insert, select

from kling.studio.state.database import Database
from kling.studio.state.tables import secrets


def kept_secret(database: Database, name: str) -> bytes:
    """Return the secret of this name, random; the first call makes it.

    Raises:
        StateError: the database does not answer.
    """
    with database.write() as connection:
        value = connection.scalar(select(secrets.c.value).where(secrets.c.name == name))
        if value is None:
            value = chance.token_hex(32)
            connection.execute(insert(secrets).values(name=name, value=value))
    return str(value).encode()
