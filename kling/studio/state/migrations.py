"""How an older database becomes one of today.

Each migration is a tuple of statements and is run once; all that a database lacks are run in one transaction.
Its number is its place, from 1. One that was released is never changed: what a later one adds is written anew
there.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement


def _created(*tables: Table) -> tuple[ExecutableDDLElement, ...]:
    indexes = (index for table in tables for index in sorted(table.indexes, key=lambda each: str(each.name)))
    return (*map(CreateTable, tables), *map(CreateIndex, indexes))


def _drafts_and_secrets() -> tuple[ExecutableDDLElement, ...]:
    of_then = MetaData()
    return _created(
        Table(
            "secrets",
            of_then,
            Column("name", String(40), primary_key=True),
            Column("value", String(128), nullable=False),
        ),
        Table(
            "drafts",
            of_then,
            Column("id", String(20), primary_key=True),
            Column("owner", String(64), nullable=False),
            Column("changed", Double, nullable=False),
            Column("size", Integer, nullable=False),
            Column("has_jobs", Integer, nullable=False),
            Column("made", Text, nullable=False),
            Column("fields", Text, nullable=False),
            Index("drafts_by_owner", "owner", "has_jobs", "changed"),
            Index("drafts_by_change", "changed"),
            Index("drafts_by_size", "size"),
        ),
    )


def _templates_and_old_folders() -> tuple[ExecutableDDLElement, ...]:
    of_then = MetaData()
    return _created(
        Table(
            "team_templates",
            of_then,
            Column("id", String(16), primary_key=True),
            Column("version", Integer, nullable=False),
            Column("changed", String(40), nullable=False),
            Column("title", Text, nullable=False),
            Column("category", Text, nullable=False),
            Column("teaches", Text, nullable=False),
            Column("author", Text, nullable=False),
            Column("request", Text, nullable=False),
        ),
        Table(
            "taken_in",
            of_then,
            Column("folder", String(40), primary_key=True),
            Column("inode", String(40), nullable=False),
            Column("unreadable", Text, nullable=False),
        ),
    )


def _people_limits_audit() -> tuple[ExecutableDDLElement, ...]:
    of_then = MetaData()
    return _created(
        Table(
            "people",
            of_then,
            Column("id", String(20), primary_key=True),
            Column("name", String(60), nullable=False),
            Column("name_key", String(240), nullable=False, unique=True),
            Column("role", String(10), nullable=False),
            Column("given_role", String(10), nullable=False),
            Column("way", String(10), nullable=False),
            Column("subject", String(255), nullable=False),
            Column("password_hash", Text, nullable=False),
            Column("created", Double, nullable=False),
            Column("removed", Double, nullable=False),
            Column("seen", Double, nullable=False),
            UniqueConstraint("way", "subject", name="people_by_subject"),
        ),
        Table(
            "invitations",
            of_then,
            Column("token_hash", String(64), primary_key=True),
            Column("person_id", String(20), nullable=False),
            Column("made_by", String(60), nullable=False),
            Column("created", Double, nullable=False),
            Column("ends", Double, nullable=False),
            Column("used", Double, nullable=False),
        ),
        Table(
            "sessions",
            of_then,
            Column("token_hash", String(64), primary_key=True),
            Column("person_id", String(20), nullable=False),
            Column("way", String(10), nullable=False),
            Column("browser", String(200), nullable=False),
            Column("created", Double, nullable=False),
            Column("seen", Double, nullable=False),
            Column("ends", Double, nullable=False),
            Index("sessions_by_person", "person_id"),
        ),
        Table("identity_version", of_then, Column("version", Integer, nullable=False)),
        Table(
            "name_owners",
            of_then,
            Column("name_key", String(240), primary_key=True),
            Column("name", String(60), nullable=False),
            Column("person_id", String(20), nullable=False),
            Column("given_by", String(60), nullable=False),
            Column("given", Double, nullable=False),
        ),
        Table(
            "limits",
            of_then,
            Column("account", String(200), primary_key=True),
            Column("scope", String(20), primary_key=True),
            Column("person_id", String(20), primary_key=True),
            Column("amount", String(20), nullable=False),
            Column("unit", String(10), nullable=False),
        ),
        Table(
            "audit",
            of_then,
            Column("id", Integer, primary_key=True),
            Column("time", Double, nullable=False),
            Column("person_id", String(20), nullable=False),
            Column("name", String(60), nullable=False),
            Column("action", String(40), nullable=False),
            Column("thing", String(120), nullable=False),
            Column("details", Text, nullable=False),
            Index("audit_by_time", "time"),
        ),
    )


def _collections_and_shares() -> tuple[ExecutableDDLElement, ...]:
    of_then = MetaData()
    return _created(
        Table(
            "collections",
            of_then,
            Column("id", String(16), primary_key=True),
            Column("version", Integer, nullable=False),
            Column("title", Text, nullable=False),
            Column("text", Text, nullable=False),
            Column("cover", String(64), nullable=False),
            Column("person_id", String(20), nullable=False),
            Column("person", String(60), nullable=False),
            Column("made", Double, nullable=False),
            Column("changed", Double, nullable=False),
            Column("changed_by", String(60), nullable=False),
        ),
        Table(
            "collection_clips",
            of_then,
            Column("collection_id", String(16), primary_key=True),
            Column("job_id", String(64), primary_key=True),
            Column("place", Integer, nullable=False),
            Index("collection_clips_by_place", "collection_id", "place"),
        ),
        Table(
            "shares",
            of_then,
            Column("token_hash", String(64), primary_key=True),
            Column("id", String(16), nullable=False, unique=True),
            Column("collection_id", String(16), nullable=False),
            Column("clips", Text, nullable=False),
            Column("title", Text, nullable=False),
            Column("audience", String(10), nullable=False),
            Column("prompts", Integer, nullable=False),
            Column("people", Integer, nullable=False),
            Column("person_id", String(20), nullable=False),
            Column("person", String(60), nullable=False),
            Column("made", Double, nullable=False),
            Column("ends", Double, nullable=False),
            Column("ended", Double, nullable=False),
            Column("opened", Integer, nullable=False),
            Column("played", Integer, nullable=False),
            Index("shares_by_made", "made"),
        ),
    )


def _whose_templates_are() -> tuple[TextClause, ...]:
    """Give templates the id of who saved them last, where the audit has it under the name that they show."""
    return (
        text("ALTER TABLE team_templates ADD COLUMN person_id VARCHAR(20) DEFAULT '' NOT NULL"),
        text(
            "UPDATE team_templates SET person_id = COALESCE((SELECT person_id FROM audit WHERE id = "
            "(SELECT max(id) FROM audit WHERE action = 'template' AND thing = team_templates.id) "
            "AND name = team_templates.author AND person_id <> 'local'), '')"
        ),
    )


MIGRATIONS = (
    _drafts_and_secrets(),
    _templates_and_old_folders(),
    _people_limits_audit(),
    _collections_and_shares(),
    _whose_templates_are(),
)
