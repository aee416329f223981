"""The tables as they are now. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

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
    Column("person_id", String(20), nullable=False, server_default=""),  # of the author; empty if not known
)

# A row stands here from the moment a folder's files are in the tables until the folder has its new name.
taken_in = Table(
    "taken_in",
    metadata,
    Column("folder", String(40), primary_key=True),
    Column("inode", String(40), nullable=False),
    Column("unreadable", Text, nullable=False),  # a JSON array of file names
)

# -- clips that belong together, and links to them ----------------------------------------------------------

collections = Table(
    "collections",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("version", Integer, nullable=False),  # of title, text and cover
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("cover", String(64), nullable=False),  # id of a job; empty for the first clip
    Column("person_id", String(20), nullable=False),  # who made it; empty without sign-in
    Column("person", String(60), nullable=False),
    Column("made", Double, nullable=False),  # Unix seconds
    Column("changed", Double, nullable=False),
    Column("changed_by", String(60), nullable=False),
)

collection_clips = Table(
    "collection_clips",
    metadata,
    Column("collection_id", String(16), primary_key=True),
    Column("job_id", String(64), primary_key=True),
    Column("place", Integer, nullable=False),  # smaller ones come first; there may be gaps
    Index("collection_clips_by_place", "collection_id", "place"),
)

shares = Table(
    "shares",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("id", String(16), nullable=False, unique=True),  # ours; it opens nothing
    Column("collection_id", String(16), nullable=False),  # empty where only clips were chosen
    Column("clips", Text, nullable=False),  # a JSON array of ids of jobs
    Column("title", Text, nullable=False),  # of chosen clips; a collection has its own
    Column("audience", String(10), nullable=False),  # team or anyone
    Column("prompts", Integer, nullable=False),  # 0 or 1, whether they are shown
    Column("people", Integer, nullable=False),  # likewise who made them, and when
    Column("person_id", String(20), nullable=False),  # who shares; empty without sign-in
    Column("person", String(60), nullable=False),
    Column("made", Double, nullable=False),
    Column("ends", Double, nullable=False),
    Column("ended", Double, nullable=False),  # when somebody ended it; 0 if nobody did
    Column("opened", Integer, nullable=False),  # how often
    Column("played", Integer, nullable=False),
    Index("shares_by_made", "made"),
)

# -- who uses the studio -----------------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("name_key", String(240), nullable=False, unique=True),  # of a removed person with the id behind
    Column("role", String(10), nullable=False),
    Column("given_role", String(10), nullable=False),  # by an admin here; empty if none was
    Column("way", String(10), nullable=False),  # account, oidc or proxy
    Column("subject", String(255), nullable=False),  # who that way says it is
    Column("password_hash", Text, nullable=False),  # empty if there is none
    Column("created", Double, nullable=False),  # Unix seconds, as all times below
    Column("removed", Double, nullable=False),  # 0 if the person was not
    Column("seen", Double, nullable=False),  # last in any session; 0 if never
    UniqueConstraint("way", "subject", name="people_by_subject"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person_id", String(20), nullable=False),
    Column("made_by", String(60), nullable=False),
    Column("created", Double, nullable=False),
    Column("ends", Double, nullable=False),
    Column("used", Double, nullable=False),  # 0 if it was not
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person_id", String(20), nullable=False),
    Column("way", String(10), nullable=False),
    Column("browser", String(200), nullable=False),  # what the browser calls itself
    Column("created", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("ends", Double, nullable=False),
    Index("sessions_by_person", "person_id"),
)

# Counts changes of the three tables above, so that a running studio notices those of another process.
identity_version = Table("identity_version", metadata, Column("version", Integer, nullable=False))

# Names of the log that belong to no account, given to a person by an admin.
name_owners = Table(
    "name_owners",
    metadata,
    Column("name_key", String(240), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("person_id", String(20), nullable=False),
    Column("given_by", String(60), nullable=False),
    Column("given", Double, nullable=False),
)

# -- what they may spend, and what they did ----------------------------------------------------------------

limits = Table(
    "limits",
    metadata,
    Column("account", String(200), primary_key=True),
    Column("scope", String(20), primary_key=True),  # clip, person_day, person_month, team_day, team_month
    Column("person_id", String(20), primary_key=True),  # empty: everybody
    Column("amount", String(20), nullable=False),  # a decimal number
    Column("unit", String(10), nullable=False),  # units, or a currency
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", Double, nullable=False),
    Column("person_id", String(20), nullable=False),
    Column("name", String(60), nullable=False),
    Column("action", String(40), nullable=False),
    Column("thing", String(120), nullable=False),  # an id or a name, empty if there is none
    Column("details", Text, nullable=False),  # a JSON object
    Index("audit_by_time", "time"),
)
