"""The SQL of landing live streams and player events: one statement a kind, each with the parameter `batch`.

Rows are written in the order of their keys, so that concurrent batches seldom deadlock on them; what was forgotten is
left out. How statements are run
is in `warehouse.landing`, that of sessions in `warehouse.landing.statements`.
"""

from collections.abc import Mapping, Sequence

from warehouse.landing.statements import instant
from warehouse.landing.tombstones import FORGOTTEN_EVENT, FORGOTTEN_MESSAGE

_RECEIVED = "to_timestamp(received_at / 1000000) + (received_at %% 1000000) * interval '1 microsecond'"
_ARRIVAL = {"created_at": _RECEIVED, "ingest_id": "ingest_id"}
_NEWEST = ("{row}.created_at", "{row}.ingest_id")


def _records(columns: str) -> str:
    head = "tenant text, ingest_id uuid, received_at bigint, body jsonb"
    return f"jsonb_to_recordset(convert_from(%(batch)b, 'UTF8')::jsonb) AS record ({head}, {columns})"


def _sent(values: Mapping[str, str], records: str, forgotten: str = "false") -> str:
    selected = ", ".join(f"{value} AS {name}" for name, value in values.items())
    return f"SELECT {selected} FROM {_records(records)} WHERE NOT ({forgotten})"  # noqa: S608


def _upsert(
    table: str,
    key: Sequence[str],
    values: Mapping[str, str],
    records: str,
    newest: Sequence[str],
    forgotten: str = "false",
) -> str:
    """Return what keeps of each key the row with the greatest `newest`; every part of it stands in this module."""
    keys = ", ".join(key)
    updated = ", ".join(f"{name} = EXCLUDED.{name}" for name in values if name not in key)
    order = ", ".join(f"{part.format(row='sent')} DESC" for part in newest)
    held, sent = (", ".join(part.format(row=row) for part in newest) for row in ("held", "EXCLUDED"))
    return f"""
    INSERT INTO {table} AS held ({", ".join(values)})
    SELECT DISTINCT ON ({keys}) {", ".join(values)} FROM ({_sent(values, records, forgotten)}) AS sent
    ORDER BY {keys}, {order}
    ON CONFLICT ({keys}) DO UPDATE SET {updated} WHERE ({held}) < ({sent})
    """  # noqa: S608


CHAT = _upsert(
    "chat_messages",
    ("tenant", "stream_id", "message_id"),
    {
        "tenant": "tenant",
        "stream_id": "stream_id",
        "message_id": "message_id",
        "timestamp": instant("sent_at"),
        "user_id": "body ->> 'user_id'",
        "username": "body ->> 'username'",
        "message": "body ->> 'message'",
        "emotes": "ARRAY(SELECT jsonb_array_elements_text(coalesce(nullif(body -> 'emotes', 'null'), '[]')))",
        "clock_suspect": "clock_suspect",
        **_ARRIVAL,
    },
    "stream_id text, message_id text, sent_at bigint, clock_suspect boolean",
    _NEWEST,
    FORGOTTEN_MESSAGE,
)

VIEWERS = _upsert(
    "viewer_timeseries",
    ("tenant", "stream_id", "timestamp"),
    {
        "tenant": "tenant",
        "stream_id": "stream_id",
        "timestamp": instant("sampled_at"),
        "viewer_count": "(body ->> 'viewer_count')::bigint",
        "clock_suspect": "clock_suspect",
        **_ARRIVAL,
    },
    "stream_id text, sampled_at bigint, clock_suspect boolean",
    _NEWEST,
)

_DESCRIPTION = {
    "title": "body ->> 'title'",
    "streamer_name": "body ->> 'streamer_name'",
    "game_category": "body ->> 'game_category'",
    "started_at": instant("started_at"),
    "is_live": "coalesce((body ->> 'is_live')::boolean, false)",
    "public": "coalesce((body ->> 'public')::boolean, false)",
    "updated_at": _RECEIVED,
    "ingest_id": "ingest_id",
}
_NEWER = "(held.updated_at, held.ingest_id) < (EXCLUDED.updated_at, EXCLUDED.ingest_id)"
_KEPT = ", ".join(f"{name} = CASE WHEN {_NEWER} THEN EXCLUDED.{name} ELSE held.{name} END" for name in _DESCRIPTION)

STREAMS = f"""
    INSERT INTO streams AS held (tenant, stream_id, {", ".join(_DESCRIPTION)}, created_at)
    SELECT DISTINCT ON (tenant, stream_id) *, min(updated_at) OVER (PARTITION BY tenant, stream_id)
    FROM ({_sent({"tenant": "tenant", "stream_id": "stream_id"} | _DESCRIPTION, "stream_id text, started_at bigint")})
        AS sent
    ORDER BY tenant, stream_id, updated_at DESC, ingest_id DESC
    ON CONFLICT (tenant, stream_id) DO UPDATE SET {_KEPT}, created_at = least(held.created_at, EXCLUDED.created_at)
"""  # noqa: S608

_EVENT_RECORDS = "session_id text, event_id text, occurred_at bigint, started_at bigint, clock_suspect boolean"

PLACE_EVENTS = f"""
    INSERT INTO session_keys (tenant, session_id, started_at)
    SELECT DISTINCT ON (tenant, session_id) tenant, session_id, {instant("started_at")}
    FROM {_records(_EVENT_RECORDS)} WHERE NOT ({FORGOTTEN_EVENT}) ORDER BY tenant, session_id, received_at, ingest_id
    ON CONFLICT (tenant, session_id, identity_at) DO NOTHING
"""  # noqa: S608
"""Places sessions that no summary or event has told of before: a summary and its events lie in one day."""

EVENTS = _upsert(
    "analytics_events",
    ("tenant", "session_id", "event_id"),
    {
        "tenant": "tenant",
        "session_id": "session_id",
        "event_id": "event_id",
        "timestamp": instant("occurred_at"),
        "event_type": "body ->> 'type'",
        "video_id": "body ->> 'videoId'",
        "user_id": "body ->> 'userId'",
        "event_data": "nullif(body -> 'data', 'null')",
        "clock_suspect": "clock_suspect",
        **_ARRIVAL,
    },
    _EVENT_RECORDS,
    ("coalesce({row}.timestamp, '-infinity')", *_NEWEST),
    FORGOTTEN_EVENT,
)
