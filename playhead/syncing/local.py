"""What lies in the folder of the client: watched files and the list of links; finding them, and removing them.

Removal happens only for what the caller says the server has confirmed.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playhead.syncing.links import Link, links

VIDEO_SUFFIXES = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .ogm .ogv .ts .webm .wmv".split()  # noqa: SIM905 - is read
)
_NOT_TEXT = re.compile("[\ud800-\udfff]")
WATCHED = "watched"
LIST = "watched.txt"


@dataclass(frozen=True, order=True)
class WatchedFile:
    """A watched file: the show's folder (empty for a movie) and the file's name without its suffix, as they are sent.

    Files that differ only in the suffix are one item.
    """

    folder: str
    name: str
    path: Path

    @property
    def sendable(self) -> bool:
        """Tell whether the names are text: those of a file system may be any bytes."""
        return _NOT_TEXT.search(self.folder + self.name) is None


@dataclass(frozen=True)
class WatchedList:
    """The links of the list, each once, in order; and the lines in which no link was found."""

    links: tuple[Link, ...]
    strange: tuple[str, ...]


def episodes(root: Path) -> list[WatchedFile]:
    """Return the videos of `shows/<folder>/watched`, by folder and name."""
    shows = root / "shows"
    folders = [folder for folder in shows.iterdir() if folder.is_dir()] if shows.is_dir() else []
    return sorted(WatchedFile(folder.name, path.stem, path) for folder in folders for path in _videos(folder / WATCHED))


def movies(root: Path) -> list[WatchedFile]:
    """Return the videos of `movies/watched`, by name."""
    return sorted(WatchedFile("", path.stem, path) for path in _videos(root / "movies" / WATCHED))


def read_list(root: Path) -> WatchedList:
    """Return what `watched.txt` names, nothing where there is no such file. Empty lines and `#` comments are passed."""
    found: dict[Link, None] = {}
    strange = []
    for line in _lines(root / LIST):
        named = links(line)
        found |= dict.fromkeys(named)
        if not named and _says_something(line):
            strange.append(line.strip())
    return WatchedList(tuple(found), tuple(strange))


def clear_list(root: Path, confirmed: Set[Link]) -> None:
    """Take out of `watched.txt`, at once, the lines that name nothing but confirmed links.

    All others stay, also those added since it was read.
    """
    path = (root / LIST).resolve()
    kept = [line for line in _lines(path) if not (named := links(line)) or not set(named) <= confirmed]
    text = "".join(kept) if any(line.strip() for line in kept) else ""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(text.encode("utf-8", "surrogateescape"))
        shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def delete(files: Iterable[WatchedFile]) -> list[OSError]:
    """Delete the files; return why some could not be deleted."""
    problems = []
    for file in files:
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            problems.append(error)
    return problems


def delete_completed(root: Path, folders: Iterable[str]) -> tuple[list[str], list[OSError]]:
    """Remove those folders of `shows` that hold no video any more; return their names, and why some could not be."""
    done: list[str] = []
    problems: list[OSError] = []
    for name in folders:
        folder = root / "shows" / name
        if folder.is_symlink() or not folder.is_dir() or _holds_video(folder, problems):
            continue
        try:
            shutil.rmtree(folder)
        except OSError as error:
            problems.append(error)
        else:
            done.append(name)
    return done, problems


def _videos(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if _is_video(path.name) and path.is_file())


def _is_video(name: str) -> bool:
    # Names with a leading dot are what systems leave beside a file, such as `._name.mkv`.
    return Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith(".")


def _holds_video(folder: Path, problems: list[OSError]) -> bool:
    """Tell whether a video lies anywhere below; a folder that cannot be read may hold one."""
    before = len(problems)
    names = [name for _, _, files in os.walk(folder, onerror=problems.append) for name in files]
    return len(problems) > before or any(_is_video(name) for name in names)


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _lines(path: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return path.read_bytes().decode("utf-8", "surrogateescape").removeprefix("\ufeff").splitlines(keepends=True)
    return []
