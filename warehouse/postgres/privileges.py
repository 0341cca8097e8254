"""Running PostgreSQL's programs as somebody they accept: they refuse to run as root.

Here belongs who runs them and with which capabilities; what is run belongs in `warehouse.postgres.embedded`. No
permission of any folder and no account is ever changed.
"""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

_ACCOUNTS = ("postgres", "nobody")
_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}
"""What lets an unprivileged process enter private parent folders: the narrower one first. Containers often have only
the second."""


class PrivilegeError(RuntimeError):
    """The embedded server cannot be run by this user; the message says why and what to do instead."""


@dataclass(frozen=True)
class Runner:
    """Who runs the server: `prefix` goes before each command line, `uid` and `gid` own the data folder."""

    prefix: tuple[str, ...]
    uid: int
    gid: int


def runner_for(data: Path, programs: Path) -> Runner:
    """Return who runs the server for a data folder (which need not exist); raise PrivilegeError if nobody can."""
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            raise PrivilegeError(f"{data} belongs to user {owner}; run as that user or as root, or set DATABASE_URL")
        return Runner((), os.geteuid(), os.getegid())
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PrivilegeError(
            "PostgreSQL refuses to run as root, and setpriv (Debian package util-linux), which would run it as another "
            "user, is missing: install it, run Playhead as an ordinary user, or set DATABASE_URL to a server"
        )
    account = _account(owner)
    command = [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    private = [folder for folder in (data.parent, programs) if not _is_open(folder)]
    granted = f",+{_capability(private)}" if private else ""
    command += [f"--inh-caps=-all{granted}", f"--ambient-caps=-all{granted}"]
    if programs in private:
        # PostgreSQL looks for its own programs with access(2), which disregards capabilities without this.
        command.append("--securebits=+no_setuid_fixup")
    return Runner(tuple(command), account.pw_uid, account.pw_gid)


def _account(owner: int | None) -> pwd.struct_passwd:
    """Return the account that owns the data already, else the first usable one."""
    accounts = {account.pw_uid: account for account in reversed(pwd.getpwall()) if account.pw_uid != 0}
    if owner is not None:
        if owner in accounts:
            return accounts[owner]
        raise PrivilegeError(f"the data folder belongs to user {owner}, who cannot run a server; set DATABASE_URL")
    for name in _ACCOUNTS:
        for account in accounts.values():
            if account.pw_name == name:
                return account
    raise PrivilegeError(f"PostgreSQL refuses to run as root and there is no user {_ACCOUNTS}: set DATABASE_URL")


def _is_open(folder: Path) -> bool:
    """Tell whether anybody may enter a folder and those above it (those that exist)."""
    above = (folder.resolve(), *folder.resolve().parents)
    return all(parent.stat().st_mode & 0o001 for parent in above if parent.exists())


def _capability(private: list[Path]) -> str:
    """Return the least capability by which an unprivileged user may enter private folders."""
    held = _permitted()
    for name, bit in _CAPABILITIES.items():
        if held >> bit & 1:
            return name
    raise PrivilegeError(
        f"{' and '.join(map(str, private))} cannot be entered by others than root, and this root may not pass that on: "
        "use a home and an environment in folders that others may enter, or set DATABASE_URL"
    )


def _permitted() -> int:
    """Return the capabilities that may be handed on: permitted to this process and inside its bounding set."""
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line
    )
    return int(status["CapPrm"], 16) & int(status["CapBnd"], 16)
