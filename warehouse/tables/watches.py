"""The Postgres tables of watches: what arrived, what providers said of it, sums of both, goals, the outbox.

Watches, shows, backfills and metadata are a function of raw_watches and raw_metadata in the lake, the sums a function
of those; goals are set by users and belong in backups. Rows are written by `warehouse.watches.watching`, `describing`,
`progress_sums`, `goal_setting` and `outbox`.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Identity, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from warehouse.tables.schema import INSTANT, METADATA


def _watcher(*, key: bool = False) -> list[Column[object]]:
    return [
        Column("tenant", Text, primary_key=key, nullable=False, comment="Owner of the data"),
        Column("user_id", Text, primary_key=key, nullable=False, comment="Who watches"),
    ]


def _kind() -> Column[str]:
    return Column("kind", Text, nullable=False, comment="episode, movie, youtube or spotify")


WATCHES = Table(
    "watches",
    METADATA,
    *_watcher(),
    _kind(),
    Column("folder", Text, comment="Folder of a local show, for episodes; else null"),
    Column(
        "item", Text, nullable=False, comment="File name of an episode or a movie, id of a video or podcast episode"
    ),
    Column("watched_at", INSTANT, nullable=False, comment="When it was watched; of a sync, its arrival"),
    Column("received_at", INSTANT, nullable=False, comment="Arrival, by the server's clock"),
    Column("ingest_id", UUID, nullable=False, comment="The body in raw_watches of the lake"),
    Column("source", Text, nullable=False, comment="sync, takeout or trakt"),
    Column("language", Text, comment="Language of what was heard, where known"),
    Column("tvdb_id", BigInteger, comment="TVDB movie of a movie"),
    Column("tmdb_id", BigInteger, comment="TMDB movie of a movie"),
    Column("title_id", Text, comment="Channel or podcast, as an import names it; a provider's answer goes before"),
    Column("title_name", Text, comment="Name of the series, movie, channel or podcast, likewise"),
    Column("item_name", Text, comment="Name of the video or episode itself, likewise"),
    Column("duration_s", BigInteger, comment="Length, whole seconds, likewise"),
    UniqueConstraint(
        "tenant", "user_id", "kind", "folder", "item", name="uq_watches_item", postgresql_nulls_not_distinct=True
    ),
    comment="One row a watched item of a user: of several sends the least (watched_at, received_at, ingest_id)",
)
Index("ix_watches_time", WATCHES.c.tenant, WATCHES.c.user_id, WATCHES.c.watched_at)
Index("ix_watches_ingest_id", WATCHES.c.ingest_id)
Index("ix_watches_item", WATCHES.c.item, postgresql_where=text("kind <> 'episode'"))
Index("ix_watches_tvdb_id", WATCHES.c.tvdb_id, postgresql_where=text("tvdb_id IS NOT NULL"))
Index("ix_watches_tmdb_id", WATCHES.c.tmdb_id, postgresql_where=text("tmdb_id IS NOT NULL"))

SHOWS = Table(
    "shows",
    METADATA,
    *_watcher(key=True),
    Column("folder", Text, primary_key=True, comment="Folder of a local show"),
    Column("tvdb_id", BigInteger, comment="TVDB series; null while nobody said"),
    Column("is_put", Boolean, nullable=False, comment="Whether the user said so, which goes before an import"),
    Column(
        "updated_at", INSTANT, nullable=False, comment="Arrival of the body that says so, or first names the folder"
    ),
    Column("ingest_id", UUID, nullable=False, comment="That body in raw_watches of the lake"),
    comment="Which series a folder of local episodes is; the newest PUT /show holds, else the first import",
)
Index("ix_shows_tvdb_id", SHOWS.c.tvdb_id)

BACKFILLS = Table(
    "backfills",
    METADATA,
    *_watcher(key=True),
    Column("episode_id", Text, primary_key=True, comment="Spotify episode up to which everything was heard"),
    Column("ingest_id", UUID, primary_key=True, comment="The body in raw_watches of the lake"),
    Column("received_at", INSTANT, nullable=False, comment="Its arrival, by the server's clock"),
    Column("language", Text, comment="Language of what was heard, where known"),
    comment="Episodes whose show was heard up to them: the others follow when Spotify has listed them",
)
Index("ix_backfills_episode_id", BACKFILLS.c.episode_id)

DESCRIPTIONS = Table(
    "metadata",
    METADATA,
    Column("kind", Text, primary_key=True, comment="What it describes, as tvdb/series, youtube/video, spotify/show"),
    Column("id", Text, primary_key=True, comment="The provider's id of it"),
    Column("status", Text, nullable=False, comment="found; failed: does not exist; partial: what another answer tells"),
    Column("name", Text, comment="Its name"),
    Column("artwork_url", Text, comment="Its artwork"),
    Column("parent_id", Text, comment="Channel of a video, podcast of an episode"),
    Column("duration_s", BigInteger, comment="Length, whole seconds; of a series the average of its episodes"),
    Column("released_on", Date, comment="Release of a podcast episode"),
    Column("answered_at", INSTANT, nullable=False, comment="Arrival of the answer"),
    Column("ingest_id", UUID, nullable=False, comment="The answer in raw_metadata of the lake"),
    comment="What providers said, shared by all users: the newest answer of each; no row while none came",
)
Index("ix_metadata_parent_id", DESCRIPTIONS.c.parent_id, postgresql_where=text("kind = 'spotify/episode'"))

WATCHERS = Table(
    "watchers",
    METADATA,
    *_watcher(key=True),
    Column("time_zone", Text, nullable=False, comment="IANA name: whose days progress_days are"),
    comment="Users with sums, and the time zone of those",
)

PROGRESS_DAYS = Table(
    "progress_days",
    METADATA,
    *_watcher(),
    _kind(),
    Column("day", Date, nullable=False, comment="Local day, in the time zone that watchers names"),
    Column("language", Text, comment="Language of what was heard, where known"),
    Column("confidence", Text, nullable=False, comment="measured, synced or estimated"),
    Column("items", BigInteger, nullable=False, comment="Items watched"),
    Column("watched_s", BigInteger, nullable=False, comment="Time watched, seconds"),
    UniqueConstraint(
        *("tenant", "user_id", "kind", "day", "language", "confidence"),
        name="uq_progress_days_key",
        postgresql_nulls_not_distinct=True,
    ),
    comment="What each user watched on each local day, kept with every watch so that reading does not grow with them",
)

PROGRESS_TITLES = Table(
    "progress_titles",
    METADATA,
    *_watcher(),
    _kind(),
    Column("title_id", Text, comment="TVDB series, channel or podcast; null while unknown"),
    Column("title_name", Text, comment="Its name, while no provider says it"),
    Column("items", BigInteger, nullable=False, comment="Items watched"),
    Column("watched_s", BigInteger, nullable=False, comment="Time watched, seconds"),
    UniqueConstraint(
        *("tenant", "user_id", "kind", "title_id"), name="uq_progress_titles_key", postgresql_nulls_not_distinct=True
    ),
    comment="What each user watched of each title but movies, which are a row each, kept as progress_days is",
)

PROGRESS_INSTANTS = Table(
    "progress_instants",
    METADATA,
    *_watcher(key=True),
    Column("watched_at", INSTANT, primary_key=True, comment="When it was watched; all of one sync at once"),
    Column("items", BigInteger, nullable=False, comment="Items watched"),
    Column("watched_s", BigInteger, nullable=False, comment="Time watched, seconds"),
    comment="What each user watched at each instant, kept as progress_days is: the last 7 x 24 h begin within a day",
)

GOALS = Table(
    "goals",
    METADATA,
    *_watcher(),
    Column("period", Text, nullable=False, comment="day or week"),
    Column("language", Text, comment="Language whose time counts; null for all"),
    Column("since", Date, nullable=False, comment="Local day from which it holds"),
    Column("minutes", Integer, nullable=False, comment="Minutes to watch in each period"),
    UniqueConstraint(
        *("tenant", "user_id", "period", "language", "since"),
        name="uq_goals_key",
        postgresql_nulls_not_distinct=True,
    ),
    comment="Goals of minutes a day or a week. Belongs in backups",
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True, comment="Order of writing"),
    Column("dataset", Text, nullable=False, comment="The raw table of the lake where it belongs"),
    Column("tenant", Text, nullable=False, comment="Owner of the data; empty for metadata"),
    Column("record", Text, nullable=False, comment="The row, a JSON object"),
    Column("batch", UUID, comment="The transaction in the raw table's log that appends it; null until it is tried"),
    comment="Raw rows on their way to the lake, written with what they changed and deleted when they are there",
)

WATCH_TABLES = (WATCHES, SHOWS, BACKFILLS, WATCHERS, PROGRESS_DAYS, PROGRESS_TITLES, PROGRESS_INSTANTS, GOALS, OUTBOX)
"""Those with rows of tenants."""
