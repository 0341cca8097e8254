"""The journal: nothing that was appended is lost, nothing torn is read, nobody shares a folder."""

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import following, frames
from ingest.errors import ApiError, StorageFailed, StorageFull
from ingest.frames import Damage, Frame
from ingest.journal import Folder, Journal

RECORDS = [b'{"n":1}', b'{"n":2}']


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(Folder.create(tmp_path / "journal"))


def written(journal: Journal, seq: int = 1) -> list[bytes]:
    return [item.data for item in frames.read(journal.folder.segment(seq)) if isinstance(item, Frame)]


def test_appended_frames_are_read_back(journal: Journal) -> None:
    _, first = journal.append(frames.encode(RECORDS))
    _, second = journal.append(frames.encode(RECORDS[:1]) + frames.encode(RECORDS[1:]))
    assert written(journal) == [b'[{"n":1},{"n":2}]', b'[{"n":1}]', b'[{"n":2}]']
    assert journal.ends == {1: second}
    assert next(frames.read(journal.folder.segment(1), first)).start == first


def test_torn_frame_is_dropped_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    whole, torn = frames.encode(RECORDS), frames.encode([b'{"n":3}'])
    for length in range(len(torn)):
        path.write_bytes(whole + torn[:length])
        assert [item.end for item in frames.read(path)] == [len(whole)]
    path.write_bytes(whole + bytes(4096))
    assert [item.end for item in frames.read(path)] == [len(whole)]


def test_damage_before_good_frames_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    frame = frames.encode(RECORDS)
    for position in range(len(frame)):
        damaged = bytearray(frame)
        damaged[position] ^= 0xFF
        path.write_bytes(frame + bytes(damaged) + frame)
        first, damage, last = frames.read(path)
        assert isinstance(first, Frame)
        assert damage == Damage(len(frame), 2 * len(frame))
        assert isinstance(last, Frame)


def test_damage_of_what_was_acknowledged_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    frame = frames.encode(RECORDS)
    path.write_bytes(frame[:-1])
    assert list(frames.read(path, 0, len(frame))) == [Damage(0, len(frame))]
    assert [chunk.end for chunk in following.chunks(path, 0, len(frame))] == [len(frame)]


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=1, max_size=1500), max_size=8))
def test_merged_chunks_hold_every_record_in_order(batches: list[list[int]]) -> None:
    encoded = [frames.encode([b"%d" % number for number in batch]) for batch in batches]
    descriptor = os.memfd_create("segment")
    try:
        os.write(descriptor, b"".join(encoded))
        chunks = list(following.chunks(Path(f"/proc/self/fd/{descriptor}")))
    finally:
        os.close(descriptor)
    joined = [int(n) for chunk in chunks for n in chunk.data[1:-1].split(b",")]
    assert joined == [number for batch in batches for number in batch]
    assert sum(chunk.records for chunk in chunks) == len(joined)
    assert all(chunk.records <= following.MERGE_RECORDS for chunk in chunks)


def failing(number: int, *, written: bool = False) -> Callable[..., int]:
    write = os.write

    def fail(descriptor: int, data: bytes = b"") -> int:
        if written:
            write(descriptor, data)
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("call", "written_before", "number", "refusal"),
    [
        ("write", True, errno.EIO, StorageFailed),
        ("write", True, errno.ENOSPC, StorageFull),
        ("write", False, errno.ENOSPC, StorageFull),
        ("write", False, errno.EDQUOT, StorageFull),
        ("fsync", False, errno.ENOSPC, StorageFull),
    ],
)
def test_failed_append_begins_a_new_segment(
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    written_before: bool,
    number: int,
    refusal: type[ApiError],
) -> None:
    journal.append(frames.encode(RECORDS))
    if call == "fsync":
        journal.roll()
    with monkeypatch.context() as patched:
        patched.setattr(os, call, failing(number, written=written_before))
        with pytest.raises(refusal):
            journal.append(frames.encode([b'{"lost":1}']))
    assert journal.open_seq is None
    assert written(journal) == [b'[{"n":1},{"n":2}]']
    seq, _ = journal.append(frames.encode([b'{"n":3}']))
    assert seq > 1
    assert written(journal, seq) == [b'[{"n":3}]']
    assert b"lost" not in b"".join(path.read_bytes() for path in journal.folder.path.iterdir())


def test_a_write_returns_when_it_is_on_disk(journal: Journal) -> None:
    journal.append(frames.encode(RECORDS))
    assert fcntl.fcntl(journal._descriptor, fcntl.F_GETFL) & os.O_DSYNC


def test_short_writes_are_continued(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:7])))
    journal.append(frames.encode(RECORDS))
    assert written(journal) == [b'[{"n":1},{"n":2}]']


def test_a_held_folder_cannot_be_claimed(tmp_path: Path) -> None:
    folder = Folder.create(tmp_path)
    assert Folder.claim(folder.path) is None
    assert list(Folder.abandoned(tmp_path)) == []
    folder.release()
    (adopted,) = Folder.abandoned(tmp_path)
    assert adopted.worker_id == folder.worker_id
    assert Folder.claim(folder.path) is None


def test_a_removed_folder_is_gone(tmp_path: Path) -> None:
    folder = Folder.create(tmp_path)
    (folder.path / "seal.request").touch()
    folder.remove()
    assert list(tmp_path.iterdir()) == []
    assert Folder.claim(folder.path) is None


def test_a_folder_with_segments_is_not_removed(journal: Journal) -> None:
    journal.append(frames.encode(RECORDS))
    with pytest.raises(StorageFailed):
        journal.folder.remove()
    assert journal.folder.segments() == [1]


def test_failed_appends_leave_no_empty_segments(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(frames.encode(RECORDS))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", failing(errno.ENOSPC))
        for _ in range(5):
            with pytest.raises(StorageFull):
                journal.append(frames.encode(RECORDS))
    assert journal.folder.segments() == [1]
    assert list(journal.ends) == [1]
    assert journal.append(frames.encode(RECORDS))[0] == 6


def test_a_new_folder_is_held_however_eagerly_others_adopt(tmp_path: Path) -> None:
    done = threading.Event()

    def adopt() -> None:
        while not done.is_set():
            for folder in Folder.abandoned(tmp_path):
                folder.remove()

    adopter = threading.Thread(target=adopt)
    adopter.start()
    try:
        for _ in range(200):
            folder = Folder.create(tmp_path)
            assert folder.path.is_dir()
            folder.remove()
    finally:
        done.set()
        adopter.join()
