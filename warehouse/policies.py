"""Retention policies: how long rows are kept after they arrived, and which have expired at a given time.

Policies come from `RETENTION_DAYS` and `[retention]` of `playhead.toml`; deleting is in
`warehouse.governance.retention`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
from psycopg import sql

from warehouse.datasets.dataset import Dataset

KINDS = ("sessions", "events", "chat", "viewers", "streams", "aggregates", "watches", "metadata")
"""What a policy may be about; each dataset names its kind. `streams` are descriptions, `metadata` is providers'."""

AGGREGATE_DAYS = 400


class PolicyError(ValueError):
    """A policy cannot be used; the message names it."""


@dataclass(frozen=True)
class Policy:
    """Rows of a kind are kept for `days` after arrival, for ever with None.

    `tenant` and `stream_type` narrow it; of several that fit a row the one that names more holds, and among equals the
    one that names the tenant.
    """

    kind: str
    days: int | None
    tenant: str | None = None
    stream_type: str | None = None


def defaults(retention_days: int) -> tuple[Policy, ...]:
    """Return the policies that hold where none says otherwise: watches and what describes things never expire."""
    landed = tuple(Policy(kind, retention_days) for kind in ("sessions", "events", "chat", "viewers"))
    kept = (Policy(kind, None) for kind in ("streams", "watches", "metadata"))
    return (*landed, Policy("aggregates", AGGREGATE_DAYS), *kept)


def parse(table: object, retention_days: int) -> tuple[Policy, ...]:
    """Read `[retention]`: days (or "never") by kind, and `policies`, a list of narrower ones. Raises PolicyError."""
    if table is None:
        return defaults(retention_days)
    if not isinstance(table, dict):
        raise PolicyError("[retention] must be a table of kind = days")
    general = {policy.kind: policy for policy in defaults(retention_days)}
    for kind, days in table.items():
        if kind != "policies":
            general[_kind(kind)] = Policy(kind, _days(days, f"retention.{kind}"))
    narrow = table.get("policies", [])
    if not isinstance(narrow, list):
        raise PolicyError("retention.policies must be a list of tables")
    return (*general.values(), *(_narrow(entry, number) for number, entry in enumerate(narrow)))


def _narrow(entry: object, number: int) -> Policy:
    name = f"retention.policies[{number}]"
    if not isinstance(entry, dict) or not {"kind", "days"} <= entry.keys() <= {"kind", "days", "tenant", "stream_type"}:
        raise PolicyError(f"{name} must have kind and days, and tenant or stream_type")
    tenant, stream_type = entry.get("tenant"), entry.get("stream_type")
    if not all(value is None or isinstance(value, str) for value in (tenant, stream_type)):
        raise PolicyError(f"{name}: tenant and stream_type must be texts")
    if stream_type is not None and entry["kind"] != "sessions":
        raise PolicyError(f"{name}: only sessions have a stream_type")
    return Policy(_kind(entry["kind"]), _days(entry["days"], f"{name}.days"), tenant, stream_type)


def _kind(name: object) -> str:
    if name not in KINDS:
        raise PolicyError(f"[retention] knows no {name!r}; it may be one of {', '.join(KINDS)}")
    return str(name)


def _days(value: object, name: str) -> int | None:
    if value == "never":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise PolicyError(f'{name} must be a number of days, at least 1, or "never"')
    return value


@dataclass(frozen=True)
class Cutoffs:
    """What had arrived before its cutoff is expired: (tenant, stream_type, cutoff), the narrowest first."""

    rules: tuple[tuple[str | None, str | None, datetime | None], ...]

    @classmethod
    def at(cls, policies: Sequence[Policy], kind: str, now: datetime) -> "Cutoffs":
        """Return the cutoffs that the policies of a kind give at this time."""
        mine = sorted(
            (policy for policy in policies if policy.kind == kind),
            key=lambda policy: (policy.tenant is None) + (policy.stream_type is None) + 0.5 * (policy.tenant is None),
        )
        days = [(policy.tenant, policy.stream_type, policy.days) for policy in mine]
        return cls(tuple((t, s, None if d is None else now - timedelta(days=d)) for t, s, d in days))

    def expired(self, received: pl.Expr, stream_type: pl.Expr) -> pl.Expr:
        """Return whether a row is expired, from its arrival and stream type (null where it has none)."""
        cutoff = pl.lit(None, pl.Datetime("us", "UTC"))
        for tenant, wanted, at in reversed(self.rules):
            fits = pl.lit(value=True)
            if tenant is not None:
                fits &= pl.col("tenant").eq_missing(tenant)
            if wanted is not None:
                fits &= stream_type.eq_missing(pl.lit(wanted))
            cutoff = pl.when(fits).then(pl.lit(at, pl.Datetime("us", "UTC"))).otherwise(cutoff)
        return (received < cutoff).fill_null(value=False)

    def sql(self, received: str, stream_type: str | None) -> sql.Composed:
        """Return the same as an SQL condition on these columns and `tenant`."""
        cases: list[sql.Composable] = [sql.SQL("CASE")]
        for tenant, wanted, at in self.rules:
            fits: list[sql.Composable] = [sql.SQL("true")]
            if tenant is not None:
                fits.append(sql.SQL("tenant = {}").format(tenant))
            if wanted is not None:
                column = sql.SQL("NULL") if stream_type is None else sql.Identifier(stream_type)
                fits.append(sql.SQL("{} IS NOT DISTINCT FROM {}").format(column, wanted))
            cases.append(sql.SQL("WHEN {} THEN {}::timestamptz").format(sql.SQL(" AND ").join(fits), at))
        cases.append(sql.SQL("END"))
        return sql.SQL("coalesce({} < {}, false)").format(sql.Identifier(received), sql.SQL(" ").join(cases))

    @property
    def latest(self) -> datetime | None:
        """The latest cutoff: what arrived after it is not expired by any rule."""
        return max((at for _, _, at in self.rules if at is not None), default=None)


@dataclass(frozen=True)
class Limits:
    """The cutoffs of several kinds at one time."""

    kinds: Mapping[str, Cutoffs]

    @classmethod
    def at(cls, policies: Sequence[Policy], now: datetime) -> "Limits":
        """Return the cutoffs that the policies give at this time."""
        return cls({kind: Cutoffs.at(policies, kind, now) for kind in KINDS})

    def expired(self, dataset: Dataset) -> pl.Expr:
        """Return whether a row of a raw table is expired; one that no policy is about never is."""
        if dataset.retention is None:
            return pl.lit(value=False)
        cutoffs = self.kinds[dataset.retention]
        # Bodies are looked into only where a rule asks.
        told = any(stream_type is not None for _, stream_type, _ in cutoffs.rules)
        kind = pl.col("payload").str.json_path_match("$.streamType") if told else pl.lit(None, pl.String)
        return cutoffs.expired(pl.col("received_at"), kind)

    def to_json(self) -> str:
        """Return the rules as JSON."""
        return json.dumps(
            {
                kind: [[t, s, None if at is None else at.isoformat()] for t, s, at in cutoffs.rules]
                for kind, cutoffs in self.kinds.items()
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Limits":
        """Read what `to_json` wrote."""
        kinds: dict[str, list[list[str | None]]] = json.loads(text)
        return cls(
            {
                kind: Cutoffs(tuple((t, s, None if at is None else datetime.fromisoformat(at)) for t, s, at in rules))
                for kind, rules in kinds.items()
            }
        )
