"""The embedded server: shared by processes, stopped by the last, adopted after a crash, private."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from tests.faults import servers
from warehouse.postgres import embedded

ROOT = Path(__file__).resolve().parents[2]

USER = """
import sys
from pathlib import Path
from warehouse.postgres import embedded
with embedded.running(Path(sys.argv[1])) as url:
    print(url.port, flush=True)
    sys.stdin.readline()
"""


@contextmanager
def user(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server of this home until its input ends."""
    command = [sys.executable, "-c", USER, str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process


def ready(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def query(url: URL, statement: str) -> object:
    libpq = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def answers(url: URL) -> bool:
    try:
        return query(url, "SELECT 1") == 1
    except psycopg.OperationalError:
        return False


def server_pid(home: Path) -> int:
    path = home / "postgres" / "postmaster.pid"
    return int(path.read_text().splitlines()[0]) if path.exists() else 0


def runs(home: Path) -> bool:
    return (home / "postgres" / "postmaster.pid").exists()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_restart_keeps_data_port_and_password(home: Path) -> None:
    with embedded.running(home) as first:
        query(first, "CREATE TABLE kept (n int)")
    assert not runs(home)
    with embedded.running(home) as second:
        assert query(second, "SELECT count(*) FROM kept") == 0
    assert first == second


def test_a_port_that_was_taken_meanwhile_is_given_up(home: Path) -> None:
    with embedded.running(home) as first:
        pass
    with socket.create_server(("127.0.0.1", first.port or 0)), embedded.running(home) as second:
        assert second.port != first.port
        assert query(second, "SELECT 1") == 1


def test_the_last_of_two_processes_stops_the_server(home: Path) -> None:
    with user(home) as other:
        ready(other)
        with embedded.running(home) as url:
            pid = server_pid(home)
            assert url.port
        assert server_pid(home) == pid
    assert other.returncode == 0
    assert not runs(home)


def test_two_users_in_one_process_share_too(home: Path) -> None:
    with embedded.running(home) as outer:
        with embedded.running(home) as inner:
            assert inner == outer
        assert query(outer, "SELECT 1") == 1
    assert not runs(home)


def test_processes_may_start_at_once(home: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(user(home)) for _ in range(4)]
        assert len({ready(process) for process in users}) == 1
    assert [process.returncode for process in users] == [0] * 4
    assert not runs(home)


def test_a_server_left_by_a_killed_process_is_adopted(home: Path) -> None:
    with user(home) as killed:
        port = ready(killed)
        killed.kill()
    pid = server_pid(home)
    with embedded.running(home) as url:
        assert (url.port, server_pid(home)) == (port, pid)
        assert query(url, "SELECT 1") == 1
    assert not runs(home)


def test_a_killed_user_does_not_keep_the_server(home: Path) -> None:
    with embedded.running(home):
        with user(home) as killed:
            ready(killed)
            killed.kill()
        assert runs(home)
    assert not runs(home)


def test_a_killed_server_is_started_again(home: Path) -> None:
    with embedded.running(home) as url:
        query(url, "CREATE TABLE kept (n int)")
        os.kill(server_pid(home), signal.SIGKILL)
        with embedded.running(home) as again:
            assert query(again, "SELECT count(*) FROM kept") == 0


def test_a_server_that_dies_while_it_is_used_comes_back_where_it_was(home: Path) -> None:
    with embedded.running(home) as url, user(home) as other:
        assert ready(other) == url.port
        query(url, "CREATE TABLE kept (n int)")
        for _ in range(2):
            died = server_pid(home)
            os.kill(died, signal.SIGKILL)
            while server_pid(home) == died or not answers(url):
                time.sleep(0.05)
            assert query(url, "SELECT count(*) FROM kept") == 0
    assert not runs(home)


def test_a_frozen_server_does_not_keep_its_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.postgres.server.STOP_S", 1)
    with ExitStack() as thawed:
        with embedded.running(home):
            thawed.enter_context(servers.frozen(home))
            started = time.monotonic()
        assert time.monotonic() - started < 10
        assert runs(home)
    with embedded.running(home) as url:
        assert query(url, "SELECT 1") == 1
    assert not runs(home)


def test_a_pid_file_that_names_another_process_is_no_hindrance(home: Path) -> None:
    with embedded.running(home):
        content = (home / "postgres" / "postmaster.pid").read_text()
    lines = content.splitlines()
    (home / "postgres" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]))
    with embedded.running(home) as url:
        assert query(url, "SELECT 1") == 1


def test_what_a_killed_start_left_half_made_is_made_again(home: Path) -> None:
    (home / "postgres.new" / "base").mkdir(parents=True)
    with embedded.running(home) as url:
        assert query(url, "SELECT 1") == 1


def test_a_start_that_fails_tells_why_and_leaves_no_lock(home: Path) -> None:
    with embedded.running(home):
        pass
    configuration = home / "postgres" / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text("no_such_setting_at_all = 1\n")
    with pytest.raises(RuntimeError, match="no_such_setting_at_all"), embedded.running(home):
        pass
    configuration.write_text(good)
    with embedded.running(home) as url:
        assert query(url, "SELECT 1") == 1


def test_long_paths_with_spaces(tmp_path: Path) -> None:
    with embedded.running(tmp_path / ("long " * 20) / ("path " * 20) / "home") as url:
        assert query(url, "SELECT 1") == 1


def test_nobody_else_gets_in(home: Path) -> None:
    with embedded.running(home) as url:
        assert stat.S_IMODE(home.stat().st_mode) == stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "postgres.password").stat().st_mode) == 0o600
        assert not (home / "postgres.pwfile").exists()
        assert query(url, "SHOW listen_addresses") == "127.0.0.1"
        assert query(url, "SHOW unix_socket_directories") == ""
        with pytest.raises(psycopg.OperationalError, match="password"):
            query(url.set(password="wrong"), "SELECT 1")


def test_the_server_is_apart_from_whoever_started_it(home: Path) -> None:
    with embedded.running(home):
        pid = server_pid(home)
        assert os.getsid(pid) != os.getsid(0)
        try:
            names = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        except (PermissionError, FileNotFoundError):
            pytest.skip("the files of another user's process cannot be seen here")
        inherited = [str(Path(f"/proc/self/fd/{number}").readlink()) for number in (0, 1, 2)]
        assert not [name for name in names if name.endswith((".users", ".lock"))]
        assert not [name for name in names if name in inherited and name != "/dev/null"]


@pytest.mark.parametrize("name", ["$HOME", 'a"b', "a`b"])
def test_a_home_that_a_shell_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeError, match="no server can run in"), embedded.running(tmp_path / name):
        pass
