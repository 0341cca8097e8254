"""What `forget`, `retain` and `rebuild` do: the whole way through journal, Postgres, lake and reports.

What is deleted is decided in `warehouse.governance.forgetting` and `warehouse.governance.retention`, what is rebuilt in
`warehouse.governance.rebuilding`.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from rich.console import Console

from dashboards.publish import tenant_folder
from pipelines import reporting
from playhead import notebooks, rejects, services
from warehouse.datasets import DATASETS
from warehouse.governance import backup, forgetting, housekeeping, rebuilding, retention
from warehouse.landing.tombstones import Subject
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store


def forget(console: Console, settings: StorageSettings, subject: Subject) -> int:
    """Forget a session or a user everywhere; print a receipt without personal data; return 0.

    After a crash, asking again goes on where it stopped. Raises what Postgres, the lake and a refresh raise.
    """
    with open_store(settings) as store:
        receipt = forgetting.begin(store, subject)
        services.drain(console, store)
        counts = forgetting.erase(store, subject)
        services.refresh(console, store)
        counts["rejects"] = rejects.erase(settings.home / "rejects", subject.id)
        counts["damaged"] = rejects.erase_damaged(settings.home / "journal", subject.id)
        _execute_again(console, store, subject)
        counts["files"] = sum(housekeeping.clear_away(store.lake, dataset) for dataset in DATASETS.values())
        forgetting.finish(store, receipt, counts)
        kept = rebuilding.frozen(store, subject.tenant)
    console.print(f"Forgotten. Receipt {receipt}")
    _tell(console, counts)
    for base, days in kept.items():
        console.print(f"Not subtracted from {base}: {days:,} frozen days, which name nobody", soft_wrap=True)
    return 0


def retain(console: Console, settings: StorageSettings, *, dry_run: bool) -> int:
    """Delete what has expired, or say what would go; return 0. Raises what Postgres, the lake and a refresh raise."""
    with open_store(settings) as store:
        services.drain(console, store)
        with console.status("Looking for what has expired …"):
            done = retention.retain(store, dry_run=dry_run)
        if not dry_run and (done.built or any(done.rows.values())):
            reporting.publish_everything(store)
            _drop_executed(settings)
    console.print("Would go:" if dry_run else "Gone:")
    _tell(console, done.rows | {"days with frozen aggregates": len(done.frozen)})
    return 0


def rebuild(console: Console, settings: StorageSettings, *, verify: bool) -> int:
    """Make everything derived from raw anew, or with `verify` only compare; return 1 if that found a difference.

    Raises what Postgres, the lake and a refresh raise.
    """
    with open_store(settings) as store:
        settle = partial(services.drain, console, store)
        settle()
        differences = list((rebuilding.verify if verify else rebuilding.rebuild)(store, settle))
        for difference in differences:
            console.print(f"{difference}", soft_wrap=True)
        for base, days in rebuilding.frozen(store).items():
            console.print(f"Kept {base}: {days:,} frozen days")
        if not verify:
            services.refresh(console, store)
    console.print(
        "Everything derived equals what raw gives." if not differences else f"{len(differences)} days differed."
    )
    return 1 if verify and differences else 0


def _tell(console: Console, counts: Mapping[str, int]) -> None:
    """Print what is not zero."""
    for place, count in counts.items():
        if count:
            console.print(f"  {place:<32}{count:>12,}")
    if not any(counts.values()):
        console.print("  nothing")


def back_up(console: Console, settings: StorageSettings, folder: Path) -> int:
    """Copy control tables and lake into a folder; return 0. Raises BackupError and what Postgres and the lake raise."""
    with open_store(settings) as store:
        services.drain(console, store)
        with console.status("Copying …"):
            done = backup.back_up(store, folder)
    console.print(f"Backed up to {folder}", soft_wrap=True)
    for name, count in done.items():
        console.print(f"  {name:<32}{count:>12,}")
    return 0


def restore(console: Console, settings: StorageSettings, folder: Path) -> int:
    """Bring a backup into an empty home and rebuild; return 0. Raises BackupError and what the others raise."""
    with open_store(settings) as store:
        done = backup.restore(store, folder)
    console.print(f"Restored {sum(done.values()):,} rows of control tables, and the lake")
    return rebuild(console, settings, verify=False)


def _drop_executed(settings: StorageSettings) -> None:
    """Delete executed notebooks, for they show rows; the next demo or analyst executes them anew."""
    for path in settings.reports_dir.glob("*/notebooks/*.ipynb"):
        path.unlink()


def _execute_again(console: Console, store: Store, subject: Subject) -> None:
    """Executed notebooks show rows: where the tenant has some, they are executed anew."""
    folder = store.settings.reports_dir / tenant_folder(subject.tenant) / "notebooks"
    if any(folder.glob("*.ipynb")):
        notebooks.execute_all(console, store, subject.tenant)
