"""Small disks that can be filled and emptied: needs the right to mount."""

import errno
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_BALLAST = "ballast"


class NotPermittedError(RuntimeError):
    """No disk can be mounted here; the message says why."""


@contextmanager
def small(path: Path, megabytes: int) -> Iterator[None]:
    """Mount a tmpfs of this size on the folder, which is made; raises NotPermittedError."""
    path.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    if mount is None:
        raise NotPermittedError("there is no program mount")
    command = [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotPermittedError(f"mount is not permitted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@contextmanager
def filled(path: Path) -> Iterator[None]:
    """Leave no byte free inside the block, whatever is deleted meanwhile."""
    ended = threading.Event()
    full = threading.Event()

    def fill() -> None:
        with (path / _BALLAST).open("wb", buffering=0) as file:
            while not ended.is_set():
                for size in (1 << 20, 1 << 12, 1):
                    _fill(file.write, bytes(size))
                full.set()
                ended.wait(0.005)

    filler = threading.Thread(target=fill, name="ballast")
    filler.start()
    try:
        full.wait()
        yield
    finally:
        ended.set()
        filler.join()
        (path / _BALLAST).unlink()


def _fill(write: Callable[[bytes], int | None], block: bytes) -> None:
    while True:
        try:
            if write(block) != len(block):
                return
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return
