"""The command `users`: who records with the tracker. What is kept of a user is in `warehouse.access.users`."""

import re
import sys
from zoneinfo import available_timezones

import click

from playhead.access import connected, found_or_fail, iso, show
from playhead.parameters import GOAL, NAME, GoalValue

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@click.group()
def users() -> None:
    """Users of the tracker (HTTP Basic): add, set, passwd, remove, list."""


def _password(from_stdin: bool) -> str:
    password: str = (
        sys.stdin.read().rstrip("\r\n")
        if from_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    if not password:
        raise click.ClickException("the password is empty")
    return password


def _profile(tenant: str | None, time_zone: str | None, language: str | None) -> dict[str, str | None]:
    """Return what was given; an empty text takes a value away."""
    if time_zone and time_zone not in available_timezones():
        raise click.BadParameter(f"{time_zone!r} is not an IANA time zone", param_hint="--time-zone")
    if language and not _LANGUAGE.fullmatch(language):
        raise click.BadParameter(f"{language!r} is not a language tag such as 'ja' or 'pt-BR'", param_hint="--language")
    given = {"tenant": tenant, "time_zone": time_zone, "language": language}
    return {name: value or None for name, value in given.items() if value is not None}


password_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
time_zone_option = click.option("--time-zone", help="IANA name: where the user's days begin.")
language_option = click.option("--language", help="Language that the user immerses in, such as 'ja'.")


@users.command("add")
@click.argument("name", type=NAME)
@click.option("--tenant", type=NAME, default="default", show_default=True)
@time_zone_option
@language_option
@password_stdin
def add_user(name: str, tenant: str, time_zone: str | None, language: str | None, password_stdin: bool) -> None:
    """Add a user; the password is asked for."""
    from warehouse.access.users import add_user

    if ":" in name:
        raise click.BadParameter("HTTP Basic allows no colon in a user name", param_hint="NAME")
    profile = _profile(None, time_zone, language)
    password = _password(password_stdin)
    with connected() as connection:
        if not add_user(connection, name=name, password=password, tenant=tenant, **profile):
            raise click.ClickException(f"there is a user {name!r} already")


@users.command("set")
@click.argument("name", type=NAME)
@click.option("--tenant", type=NAME)
@time_zone_option
@language_option
@click.option("--goal", "goals", type=GOAL, multiple=True, help="Minutes: day=30, week=300, day:ja=30; 0 for none.")
def set_user(
    name: str, tenant: str | None, time_zone: str | None, language: str | None, goals: tuple[GoalValue, ...]
) -> None:
    """Change a user, or the goals from today on; an empty text takes a value away."""
    from warehouse.access.users import set_user
    from warehouse.settings import StorageSettings
    from warehouse.watches.goal_setting import set_goals

    changes = _profile(tenant, time_zone, language)
    if not changes and not goals:
        raise click.UsageError("nothing to set")
    with connected() as connection:
        if changes:
            found_or_fail(set_user(connection, name, changes), "user", name)
        if goals:
            found_or_fail(set_goals(connection, StorageSettings.from_environ(), name, goals), "user", name)


@users.command("passwd")
@click.argument("name", type=NAME)
@password_stdin
def set_password(name: str, password_stdin: bool) -> None:
    """Give a user another password."""
    from warehouse.access.users import set_password

    password = _password(password_stdin)
    with connected() as connection:
        found_or_fail(set_password(connection, name, password), "user", name)


@users.command("remove")
@click.argument("name", type=NAME)
def remove_user(name: str) -> None:
    """Remove a user; what was recorded stays."""
    from warehouse.access.users import remove_user

    with connected() as connection:
        found_or_fail(remove_user(connection, name), "user", name)


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON array.")
def list_users(as_json: bool) -> None:
    """Show every user of the table, without passwords."""
    from warehouse.access.users import list_users

    with connected() as connection:
        found = list_users(connection)
    columns = ("name", "tenant", "time_zone", "language", "created_at")
    rows = [{column: getattr(user, column) for column in columns[:-1]} for user in found]
    show(columns, [row | {"created_at": iso(user.created_at)} for row, user in zip(rows, found, strict=True)], as_json)
