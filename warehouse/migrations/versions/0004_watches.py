"""Watches, what providers say of them, their sums, goals, the outbox; the published progress."""

# One column a line, as Alembic writes them.
# ruff: noqa: E501
# fmt: off

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Who watches"),
        sa.Column("episode_id", sa.Text(), nullable=False, comment="Spotify episode up to which everything was heard"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The body in raw_watches of the lake"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, comment="Its arrival, by the server's clock"),
        sa.Column("language", sa.Text(), nullable=True, comment="Language of what was heard, where known"),
        sa.PrimaryKeyConstraint("tenant", "user_id", "episode_id", "ingest_id", name=op.f("pk_backfills")),
        comment="Episodes whose show was heard up to them: the others follow when Spotify has listed them",
    )
    op.create_index("ix_backfills_episode_id", "backfills", ["episode_id"], unique=False)
    op.create_table(
        "goals",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Who watches"),
        sa.Column("period", sa.Text(), nullable=False, comment="day or week"),
        sa.Column("language", sa.Text(), nullable=True, comment="Language whose time counts; null for all"),
        sa.Column("since", sa.Date(), nullable=False, comment="Local day from which it holds"),
        sa.Column("minutes", sa.Integer(), nullable=False, comment="Minutes to watch in each period"),
        sa.UniqueConstraint("tenant", "user_id", "period", "language", "since", name="uq_goals_key", postgresql_nulls_not_distinct=True),
        comment="Goals of minutes a day or a week. Belongs in backups",
    )
    op.create_table(
        "metadata",
        sa.Column("kind", sa.Text(), nullable=False, comment="What it describes, as tvdb/series, youtube/video, spotify/show"),
        sa.Column("id", sa.Text(), nullable=False, comment="The provider's id of it"),
        sa.Column("status", sa.Text(), nullable=False, comment="found; failed: does not exist; partial: what another answer tells"),
        sa.Column("name", sa.Text(), nullable=True, comment="Its name"),
        sa.Column("artwork_url", sa.Text(), nullable=True, comment="Its artwork"),
        sa.Column("parent_id", sa.Text(), nullable=True, comment="Channel of a video, podcast of an episode"),
        sa.Column("duration_s", sa.BigInteger(), nullable=True, comment="Length, whole seconds; of a series the average of its episodes"),
        sa.Column("released_on", sa.Date(), nullable=True, comment="Release of a podcast episode"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False, comment="Arrival of the answer"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The answer in raw_metadata of the lake"),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_metadata")),
        comment="What providers said, shared by all users: the newest answer of each; no row while none came",
    )
    op.create_index("ix_metadata_parent_id", "metadata", ["parent_id"], unique=False, postgresql_where=sa.text("kind = 'spotify/episode'"))
    op.create_table(
        "out_progress_daily",
        sa.Column("day", sa.Date(), nullable=False, comment="Local day of watched_at, in time_zone"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=True, comment="Who watched"),
        sa.Column("time_zone", sa.Text(), nullable=True, comment="IANA name of the user's time zone, which bounds the days"),
        sa.Column("kind", sa.Text(), nullable=True, comment="episode, movie, youtube or spotify"),
        sa.Column("title_id", sa.Text(), nullable=True, comment="TVDB id, channel, podcast, or the file name of a movie; null while unknown"),
        sa.Column("language", sa.Text(), nullable=True, comment="Language of what was heard, where known"),
        sa.Column("confidence", sa.Text(), nullable=True, comment="measured, synced or estimated; estimated where the length is a fallback"),
        sa.Column("title_name", sa.Text(), nullable=True, comment="Name of the title; null while unknown"),
        sa.Column("artwork_url", sa.Text(), nullable=True, comment="Artwork of the title"),
        sa.Column("items", sa.BigInteger(), nullable=True, comment="Items watched"),
        sa.Column("watched_s", sa.BigInteger(), nullable=True, comment="Time watched, seconds; an episode of unknown length counts 20 minutes"),
        sa.Column("pending_n", sa.BigInteger(), nullable=True, comment="Items that a provider has not answered for yet"),
        sa.Column("failed_n", sa.BigInteger(), nullable=True, comment="Items that a provider does not know"),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True, comment="The first watch"),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True, comment="The last watch"),
        sa.UniqueConstraint("day", "tenant", "user_id", "time_zone", "kind", "title_id", "language", "confidence", name="uq_out_progress_daily_key", postgresql_nulls_not_distinct=True),
        comment="What each user watched of each title on each local day; totals, trend and cumulative hours add up from it",
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Order of writing"),
        sa.Column("dataset", sa.Text(), nullable=False, comment="The raw table of the lake where it belongs"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data; empty for metadata"),
        sa.Column("record", sa.Text(), nullable=False, comment="The row, a JSON object"),
        sa.Column("batch", sa.UUID(), nullable=True, comment="The transaction in the raw table's log that appends it; null until it is tried"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        comment="Raw rows on their way to the lake, written with what they changed and deleted when they are there",
    )
    op.create_table(
        "progress_days",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Who watches"),
        sa.Column("kind", sa.Text(), nullable=False, comment="episode, movie, youtube or spotify"),
        sa.Column("day", sa.Date(), nullable=False, comment="Local day, in the time zone that watchers names"),
        sa.Column("language", sa.Text(), nullable=True, comment="Language of what was heard, where known"),
        sa.Column("confidence", sa.Text(), nullable=False, comment="measured, synced or estimated"),
        sa.Column("items", sa.BigInteger(), nullable=False, comment="Items watched"),
        sa.Column("watched_s", sa.BigInteger(), nullable=False, comment="Time watched, seconds"),
        sa.UniqueConstraint("tenant", "user_id", "kind", "day", "language", "confidence", name="uq_progress_days_key", postgresql_nulls_not_distinct=True),
        comment="What each user watched on each local day, kept with every watch so that reading does not grow with them",
    )
    op.create_table(
        "progress_instants",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Who watches"),
        sa.Column("watched_at", sa.DateTime(timezone=True), nullable=False, comment="When it was watched; all of one sync at once"),
        sa.Column("items", sa.BigInteger(), nullable=False, comment="Items watched"),
        sa.Column("watched_s", sa.BigInteger(), nullable=False, comment="Time watched, seconds"),
        sa.PrimaryKeyConstraint("tenant", "user_id", "watched_at", name=op.f("pk_progress_instants")),
        comment="What each user watched at each instant, kept as progress_days is: the last 7 x 24 h begin within a day",
    )
    op.create_table(
        "progress_titles",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Who watches"),
        sa.Column("kind", sa.Text(), nullable=False, comment="episode, movie, youtube or spotify"),
        sa.Column("title_id", sa.Text(), nullable=True, comment="TVDB series, channel or podcast; null while unknown"),
        sa.Column("title_name", sa.Text(), nullable=True, comment="Its name, while no provider says it"),
        sa.Column("items", sa.BigInteger(), nullable=False, comment="Items watched"),
        sa.Column("watched_s", sa.BigInteger(), nullable=False, comment="Time watched, seconds"),
        sa.UniqueConstraint("tenant", "user_id", "kind", "title_id", name="uq_progress_titles_key", postgresql_nulls_not_distinct=True),
        comment="What each user watched of each title but movies, which are a row each, kept as progress_days is",
    )
    op.create_table(
        "shows",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Who watches"),
        sa.Column("folder", sa.Text(), nullable=False, comment="Folder of a local show"),
        sa.Column("tvdb_id", sa.BigInteger(), nullable=True, comment="TVDB series; null while nobody said"),
        sa.Column("is_put", sa.Boolean(), nullable=False, comment="Whether the user said so, which goes before an import"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, comment="Arrival of the body that says so, or first names the folder"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="That body in raw_watches of the lake"),
        sa.PrimaryKeyConstraint("tenant", "user_id", "folder", name=op.f("pk_shows")),
        comment="Which series a folder of local episodes is; the newest PUT /show holds, else the first import",
    )
    op.create_index("ix_shows_tvdb_id", "shows", ["tvdb_id"], unique=False)
    op.create_table(
        "watchers",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Who watches"),
        sa.Column("time_zone", sa.Text(), nullable=False, comment="IANA name: whose days progress_days are"),
        sa.PrimaryKeyConstraint("tenant", "user_id", name=op.f("pk_watchers")),
        comment="Users with sums, and the time zone of those",
    )
    op.create_table(
        "watches",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Who watches"),
        sa.Column("kind", sa.Text(), nullable=False, comment="episode, movie, youtube or spotify"),
        sa.Column("folder", sa.Text(), nullable=True, comment="Folder of a local show, for episodes; else null"),
        sa.Column("item", sa.Text(), nullable=False, comment="File name of an episode or a movie, id of a video or podcast episode"),
        sa.Column("watched_at", sa.DateTime(timezone=True), nullable=False, comment="When it was watched; of a sync, its arrival"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, comment="Arrival, by the server's clock"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The body in raw_watches of the lake"),
        sa.Column("source", sa.Text(), nullable=False, comment="sync, takeout or trakt"),
        sa.Column("language", sa.Text(), nullable=True, comment="Language of what was heard, where known"),
        sa.Column("tvdb_id", sa.BigInteger(), nullable=True, comment="TVDB movie of a movie"),
        sa.Column("tmdb_id", sa.BigInteger(), nullable=True, comment="TMDB movie of a movie"),
        sa.Column("title_id", sa.Text(), nullable=True, comment="Channel or podcast, as an import names it; a provider's answer goes before"),
        sa.Column("title_name", sa.Text(), nullable=True, comment="Name of the series, movie, channel or podcast, likewise"),
        sa.Column("item_name", sa.Text(), nullable=True, comment="Name of the video or episode itself, likewise"),
        sa.Column("duration_s", sa.BigInteger(), nullable=True, comment="Length, whole seconds, likewise"),
        sa.UniqueConstraint("tenant", "user_id", "kind", "folder", "item", name="uq_watches_item", postgresql_nulls_not_distinct=True),
        comment="One row a watched item of a user: of several sends the least (watched_at, received_at, ingest_id)",
    )
    op.create_index("ix_watches_ingest_id", "watches", ["ingest_id"], unique=False)
    op.create_index("ix_watches_item", "watches", ["item"], unique=False, postgresql_where=sa.text("kind <> 'episode'"))
    op.create_index("ix_watches_time", "watches", ["tenant", "user_id", "watched_at"], unique=False)
    op.create_index("ix_watches_tmdb_id", "watches", ["tmdb_id"], unique=False, postgresql_where=sa.text("tmdb_id IS NOT NULL"))
    op.create_index("ix_watches_tvdb_id", "watches", ["tvdb_id"], unique=False, postgresql_where=sa.text("tvdb_id IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("watches")
    op.drop_table("watchers")
    op.drop_table("shows")
    op.drop_table("progress_titles")
    op.drop_table("progress_instants")
    op.drop_table("progress_days")
    op.drop_table("outbox")
    op.drop_table("out_progress_daily")
    op.drop_table("metadata")
    op.drop_table("goals")
    op.drop_table("backfills")
