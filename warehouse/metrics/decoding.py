"""JSON payloads become typed columns, natively where that is exact and row by row where it is not.

Polars decodes a whole column against one schema: fast, but one value of another kind fails the column, and numbers
lose their spelling. Rows that hold such a value are found by a pattern first and decoded one at a time, so that a
strange payload costs its neighbours nothing. What a value means, and which send of a session counts, is in `sessions`.
"""

import json
import re
from collections.abc import Mapping

import polars as pl

from warehouse.metrics.fields import FIELDS, Field

BATCH_ROWS = 65_536
RETRY_ROWS = 2_048

_UNDECODABLE = (pl.exceptions.ComputeError, pl.exceptions.ShapeError)
"""Polars decodes a column as one array: a payload of two objects, or two of one, change the number of rows."""

_NUMERIC = frozenset(key for field in FIELDS if field.dtype.is_numeric() for key in field.keys)


def decode(raw: pl.LazyFrame, dimensions: Mapping[str, str]) -> pl.DataFrame:
    """Decode the column `payload`, in batches, so that only typed columns are held.

    Returns the other columns of `raw`, one column a `Field` (numbers as Float64, limits not yet applied), one text
    column a configured dimension (`dimensions` maps its name to a payload key), and `rule` and `detail`: null, or
    `unreadable_payload` / `wrong_type` and what was found. The order of rows is not kept.

    A dimension's value is text: a number or boolean as it is spelled in the payload, an object or array as compact
    JSON with sorted keys.
    """
    payload = pl.col("payload").str.strip_chars(" \t\r\n").str
    whole = payload.starts_with("{") & payload.ends_with("}")
    strange = (~whole | payload.contains(_strange_pattern(dimensions))).fill_null(value=True)
    marked = raw.with_columns(strange=strange)
    batches = marked.collect_batches(chunk_size=BATCH_ROWS, maintain_order=False, engine="streaming")
    decoded = [_decode_batch(batch, dimensions) for batch in batches]
    return pl.concat(decoded) if decoded else _decode_batch(marked.head(0).collect(), dimensions)


def _decode_batch(batch: pl.DataFrame, dimensions: Mapping[str, str]) -> pl.DataFrame:
    parts = [_decode_rows(batch.filter("strange").drop("strange"), dimensions)]
    plain = batch.filter(~pl.col("strange")).drop("strange")
    try:
        parts.append(_decode_native(plain, dimensions))
    except _UNDECODABLE:
        parts += [_decode_slice(part, dimensions) for part in plain.iter_slices(RETRY_ROWS)]
    return _columns(pl.concat(parts), dimensions)


def _decode_slice(part: pl.DataFrame, dimensions: Mapping[str, str]) -> pl.DataFrame:
    try:
        return _decode_native(part, dimensions)
    except _UNDECODABLE:
        return _decode_rows(part, dimensions)


def _schema(dimensions: Mapping[str, str]) -> dict[str, pl.DataType]:
    """Return the keys to read; numbers as Float64, since an integer type would cut fractions in silence."""
    keys: dict[str, pl.DataType] = {key: pl.String() for key in dimensions.values()}
    for field in FIELDS:
        keys |= {key: pl.Float64() if field.dtype.is_numeric() else pl.String() for key in field.keys}
    return keys


def _strange_pattern(dimensions: Mapping[str, str]) -> str:
    """Return a pattern for values that native decoding refuses or spells anew; a match too many does no harm."""
    text = "|".join(re.escape(key) for key in _schema(dimensions) if key not in _NUMERIC)
    numeric = "|".join(re.escape(key) for key in sorted(_NUMERIC))
    respelled = r"[\[{]|-?\d+[.eE]|-0|-?\d{18}"
    return rf'"(?:{text})"\s*:\s*(?:{respelled})|"(?:{numeric})"\s*:\s*[tf"\[{{]'


def _decode_native(part: pl.DataFrame, dimensions: Mapping[str, str]) -> pl.DataFrame:
    """Decode a column at once; raise one of `_UNDECODABLE` where a payload is not one JSON object."""
    decoded = pl.col("payload").str.json_decode(pl.Struct(_schema(dimensions))).alias("decoded")
    # Only a JSON null decodes to nothing; whatever else is no object has raised.
    unread = pl.when(pl.col("decoded").is_null())
    named = {"rule": unread.then(pl.lit("unreadable_payload")), "detail": unread.then(pl.lit("not a JSON object"))}
    return part.lazy().with_columns(decoded).drop("payload").with_columns(**named).collect(engine="streaming")


class _Number(str):
    """A JSON number as it is spelled."""

    __slots__ = ()


def _decode_rows(part: pl.DataFrame, dimensions: Mapping[str, str]) -> pl.DataFrame:
    schema = _schema(dimensions)
    rows = [_decode_row(text, schema) for text in part["payload"]]
    found = pl.DataFrame(
        rows, schema={"decoded": pl.Struct(schema), "rule": pl.String, "detail": pl.String}, orient="row"
    )
    return part.drop("payload").hstack(found)


def _decode_row(text: str | None, schema: Mapping[str, pl.DataType]) -> tuple[object, str | None, str | None]:
    try:
        body = json.loads(text or "", parse_int=_Number, parse_float=_Number, parse_constant=_refuse_constant)
        if not isinstance(body, dict):
            return None, "unreadable_payload", "not a JSON object"
        values = {key: _value(key, body.get(key), schema[key]) for key in schema}
    except TypeError as error:
        return None, "wrong_type", str(error)
    except (ValueError, RecursionError) as error:
        return None, "unreadable_payload", str(error)
    return values, None, None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _value(key: str, value: object, dtype: pl.DataType) -> str | float | None:
    """Return one value as a number or text; raise TypeError if it is of another kind, ValueError if no such text."""
    if value is None:
        return None
    if dtype.is_numeric():
        if not isinstance(value, _Number):
            raise TypeError(f"{key} is not a number: {str(value)[:64]!r}")
        return float(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        if any(key in field.keys for field in FIELDS):
            raise TypeError(f"{key} is not a text: {str(value)[:64]!r}")
        return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))
    str(value).encode()
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return json.loads(value) if isinstance(value, _Number) else value


def _columns(frame: pl.DataFrame, dimensions: Mapping[str, str]) -> pl.DataFrame:
    def key(name: str) -> pl.Expr:
        return pl.col("decoded").struct.field(name)

    def text(name: str) -> pl.Expr:
        by_key: dict[str, Field] = {name: field for field in FIELDS for name in field.keys}
        return key(name).cast(by_key[name].dtype, strict=False).cast(pl.String) if name in _NUMERIC else key(name)

    columns = {field.column: pl.coalesce([key(name) for name in field.keys]) for field in FIELDS}
    columns |= {column: text(name) for column, name in dimensions.items()}
    return frame.with_columns(**columns).drop("decoded")
