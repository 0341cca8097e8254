"""The format of a journal segment: a run of frames, each one batch of landing records.

A frame is a header (magic, length, checksum, number of records) and a JSON array. Where segments live, who appends
and who follows them is not known here.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"PLJ1"
HEADER = struct.Struct("<4sIII")


@dataclass(frozen=True, slots=True)
class Frame:
    """One batch on disk: a JSON array of `records` landing records between two offsets of a segment."""

    start: int
    end: int
    records: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no frame although an acknowledged batch may have been there."""

    start: int
    end: int


def encode(records: Sequence[bytes]) -> bytes:
    """Return the frame of these landing records."""
    data = b"[" + b",".join(records) + b"]"
    return HEADER.pack(MAGIC, len(data), zlib.crc32(data, len(records)), len(records)) + data


def read(path: Path, start: int = 0, end: int | None = None) -> Iterator[Frame | Damage]:
    """Yield the frames of a segment between two offsets, and the damage among them.

    Without `end`, which only the process that appended knows, a frame cut short at the end of the file was never
    acknowledged: it is dropped without a word.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size if end is None else end
        offset = start
        while offset < size:
            item: Frame | Damage | None = _frame_at(descriptor, offset, size) or _damage(descriptor, offset, size)
            if item is None:
                if end is None:
                    return
                item = Damage(offset, end)
            yield item
            offset = item.end
    finally:
        os.close(descriptor)


def _frame_at(descriptor: int, offset: int, size: int) -> Frame | None:
    header = os.pread(descriptor, HEADER.size, offset)
    if len(header) < HEADER.size:
        return None
    magic, length, checksum, records = HEADER.unpack(header)
    start = offset + HEADER.size
    if magic != MAGIC or start + length > size:
        return None
    data = os.pread(descriptor, length, start)
    if len(data) != length or zlib.crc32(data, records) != checksum:
        return None
    return Frame(offset, start + length, records, data)


def _damage(descriptor: int, offset: int, size: int) -> Damage | None:
    """Look for a good frame behind a bad one.

    A payload cannot pass for a frame: JSON holds no byte below 0x20, so a length made of its bytes is over 512 MiB.
    """
    content = os.pread(descriptor, size - offset, offset)
    found = content.find(MAGIC, 1)
    while found >= 0:
        if _frame_at(descriptor, offset + found, size):
            return Damage(offset, offset + found)
        found = content.find(MAGIC, found + 1)
    return None
