"""The tables as they are now. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(128), nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("changed", Double, nullable=False),  # Unix seconds
    Column("size", Integer, nullable=False),  # bytes that count against the limits
    Column("has_jobs", Integer, nullable=False),  # 0 or 1
    Column("made", Text, nullable=False),  # a JSON array
    Column("fields", Text, nullable=False),  # a JSON object
    Index("drafts_by_owner", "owner", "has_jobs", "changed"),
    Index("drafts_by_change", "changed"),
    Index("drafts_by_size", "size"),
)

team_templates = Table(
    "team_templates",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("changed", String(40), nullable=False),  # ISO 8601, in UTC
    Column("title", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("teaches", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("request", Text, nullable=False),  # the body of a create call, as JSON
)

# A row stands here from the moment a folder's files are in the tables until the folder has its new name.
taken_in = Table(
    "taken_in",
    metadata,
    Column("folder", String(40), primary_key=True),
    Column("inode", String(40), nullable=False),
    Column("unreadable", Text, nullable=False),  # a JSON array of file names
)
