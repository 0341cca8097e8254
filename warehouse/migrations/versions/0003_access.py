"""Who may do what, and how much: users, bounds of tenants, leases of the rate limit."""

# One column a line, as Alembic writes them.
# ruff: noqa: E501
# fmt: off

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

QUOTA = "Requests a window; null means the default limit"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True, comment="When a request last came with it, to about a minute; null means never"))
    op.alter_column("api_keys", "quota", existing_type=sa.Integer(), existing_nullable=True, existing_comment=QUOTA, comment=f"{QUOTA}, 0 none")
    op.create_table(
        "tenants",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of data and keys"),
        sa.Column("quota", sa.Integer(), nullable=False, comment="Requests a window that all keys of the tenant share"),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_tenants")),
        comment="Tenants whose keys have a common bound; others are bounded by their keys alone. Belongs in backups",
    )
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False, comment="User name of HTTP Basic"),
        sa.Column("password_hash", sa.Text(), nullable=False, comment="argon2id hash in PHC format; the password is not kept"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data that the user records"),
        sa.Column("time_zone", sa.Text(), nullable=True, comment="IANA name: where the user's days begin; null means the default"),
        sa.Column("language", sa.Text(), nullable=True, comment="BCP 47 tag of the language that the user immerses in; null when not set"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When the user was added"),
        sa.Column("password_set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="Age of the password"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
        comment="Users of the tracker. Belongs in backups",
    )
    op.create_table(
        "rate_leases",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Whose requests are counted"),
        sa.Column("key_id", sa.Text(), nullable=False, comment="The key, or empty for the bound of the whole tenant"),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False, comment="Start of the window"),
        sa.Column("leased", sa.BigInteger(), nullable=False, comment="Requests asked for by workers; over the limit none is given"),
        sa.PrimaryKeyConstraint("tenant", "key_id", "window_start", name=op.f("pk_rate_leases")),
        comment="How much of each limit the workers have leased; windows that are over are deleted",
    )


def downgrade() -> None:
    op.drop_table("rate_leases")
    op.drop_table("users")
    op.drop_table("tenants")
    op.alter_column("api_keys", "quota", existing_type=sa.Integer(), existing_nullable=True, existing_comment=f"{QUOTA}, 0 none", comment=QUOTA)
    op.drop_column("api_keys", "last_used_at")
