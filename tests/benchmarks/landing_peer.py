"""The peer of the landing benchmark: FastAPI and asyncpg, one upsert a request, as seed 001 describes its endpoint.

The seed's columns and indexes; `session_id` is unique, as its `ON CONFLICT` needs, so that the table has no partitions.
Argument: the port; the database's URL is in `PEER_DATABASE_URL`.
"""

import hmac
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

KEY = "dev-key"
TABLE = """
CREATE TABLE sessions (
    id BIGSERIAL PRIMARY KEY, session_id VARCHAR(128) NOT NULL UNIQUE, timestamp TIMESTAMPTZ NOT NULL,
    content_id VARCHAR(256), stream_type VARCHAR(16), player_startup_ms INTEGER, rebuffer_time_ms INTEGER,
    rebuffer_count INTEGER, error_count INTEGER, payload JSONB, created_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);
CREATE INDEX idx_sessions_timestamp ON sessions (timestamp DESC);
CREATE INDEX idx_sessions_content_id ON sessions (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX idx_sessions_stream_type ON sessions (stream_type) WHERE stream_type IS NOT NULL;
CREATE INDEX idx_sessions_player_startup ON sessions (player_startup_ms) WHERE player_startup_ms IS NOT NULL;
CREATE INDEX idx_sessions_errors ON sessions (error_count, timestamp DESC) WHERE error_count > 0;
"""
UPSERT = """
INSERT INTO sessions (session_id, timestamp, content_id, stream_type, player_startup_ms, rebuffer_time_ms,
    rebuffer_count, error_count, payload, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, NOW())
ON CONFLICT (session_id) DO UPDATE SET timestamp = EXCLUDED.timestamp, content_id = EXCLUDED.content_id,
    stream_type = EXCLUDED.stream_type, player_startup_ms = EXCLUDED.player_startup_ms,
    rebuffer_time_ms = EXCLUDED.rebuffer_time_ms, rebuffer_count = EXCLUDED.rebuffer_count,
    error_count = EXCLUDED.error_count, payload = EXCLUDED.payload, created_at = EXCLUDED.created_at
WHERE sessions.created_at <= EXCLUDED.created_at
"""


class Session(BaseModel):
    """The fields that get columns; others are kept in the payload."""

    model_config = ConfigDict(extra="allow")
    session_id: str = Field(alias="sessionId", max_length=128)
    timestamp: int = Field(gt=0)
    content_id: str | None = Field(None, alias="contentId", max_length=256)
    stream_type: str | None = Field(None, alias="streamType", max_length=16)
    startup_time_ms: int | None = Field(None, alias="startupTimeMs", ge=0)
    rebuffer_time_ms: int | None = Field(None, alias="rebufferTimeMs", ge=0)
    rebuffer_count: int | None = Field(None, alias="rebufferCount", ge=0)
    error_count: int | None = Field(None, alias="errorCount", ge=0)


@asynccontextmanager
async def pool(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], min_size=5, max_size=20) as app.state.pool:
        await app.state.pool.execute(TABLE)
        yield


async def key(x_api_key: str = Header()) -> None:
    if not hmac.compare_digest(x_api_key.encode(), KEY.encode()):
        raise HTTPException(401)


app = FastAPI(lifespan=pool)


@app.post("/v1/sessions", dependencies=[Depends(key)])
async def land(session: Session, request: Request) -> dict[str, str]:
    await app.state.pool.execute(
        UPSERT,
        session.session_id,
        datetime.fromtimestamp(session.timestamp / 1000, UTC),
        session.content_id,
        session.stream_type,
        session.startup_time_ms,
        session.rebuffer_time_ms,
        session.rebuffer_count,
        session.error_count,
        (await request.body()).decode(),
    )
    return {"status": "success", "sessionId": session.session_id}


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False)
