"""The Postgres tables of keys, tenants and users, and of how much of their limits is used.

Rows are written by `warehouse.access.keys`, `users` and `leases`.
"""

from sqlalchemy import BigInteger, Column, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from warehouse.tables.schema import INSTANT, METADATA

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", Text, primary_key=True, comment="Public part of the key"),
    Column("sha256", Text, nullable=False, unique=True, comment="SHA-256 of the whole key, hex; the key is not kept"),
    Column("tenant", Text, nullable=False, comment="Owner of the data that the key lands and reads"),
    Column("name", Text, nullable=False, comment="What its owner calls it"),
    Column("scopes", ARRAY(Text), nullable=False, comment="What it may do"),
    Column("quota", Integer, comment="Requests a window; null means the default limit, 0 none"),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()"), comment="When it was made"),
    Column("expires_at", INSTANT, comment="When it stops working; null means never"),
    Column("revoked_at", INSTANT, comment="When it was revoked"),
    Column("last_used_at", INSTANT, comment="When a request last came with it, to about a minute; null means never"),
    comment="API keys, as hashes. Belongs in backups",
)

TENANTS = Table(
    "tenants",
    METADATA,
    Column("tenant", Text, primary_key=True, comment="Owner of data and keys"),
    Column("quota", Integer, nullable=False, comment="Requests a window that all keys of the tenant share"),
    comment="Tenants whose keys have a common bound; others are bounded by their keys alone. Belongs in backups",
)

USERS = Table(
    "users",
    METADATA,
    Column("name", Text, primary_key=True, comment="User name of HTTP Basic"),
    Column("password_hash", Text, nullable=False, comment="argon2id hash in PHC format; the password is not kept"),
    Column("tenant", Text, nullable=False, comment="Owner of the data that the user records"),
    Column("time_zone", Text, comment="IANA name: where the user's days begin; null means the default"),
    Column("language", Text, comment="BCP 47 tag of the language that the user immerses in; null when not set"),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()"), comment="When the user was added"),
    Column("password_set_at", INSTANT, nullable=False, server_default=text("now()"), comment="Age of the password"),
    comment="Users of the tracker. Belongs in backups",
)

RATE_LEASES = Table(
    "rate_leases",
    METADATA,
    Column("tenant", Text, primary_key=True, comment="Whose requests are counted"),
    Column("key_id", Text, primary_key=True, comment="The key, or empty for the bound of the whole tenant"),
    Column("window_start", INSTANT, primary_key=True, comment="Start of the window"),
    Column("leased", BigInteger, nullable=False, comment="Requests asked for by workers; over the limit none is given"),
    comment="How much of each limit the workers have leased; windows that are over are deleted",
)

ACCESS_TABLES = (API_KEYS, TENANTS, USERS, RATE_LEASES)
"""All of them; every row is of a tenant."""
