"""What `forget`, `retain` and `rebuild` do: the whole way through journal, Postgres, lake and reports.

What is deleted is decided in `warehouse.forgetting` and `warehouse.retention`, what is rebuilt in
`warehouse.rebuilding`.
"""

from rich.console import Console

from dashboards.publish import tenant_folder
from playhead import notebooks, rejects, services
from warehouse import forgetting, housekeeping
from warehouse.datasets import DATASETS
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store
from warehouse.tombstones import Subject


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
        _execute_again(console, store, subject)
        counts["files"] = sum(housekeeping.clear_away(store.lake, dataset) for dataset in DATASETS.values())
        forgetting.finish(store, receipt, counts)
    console.print(f"Forgotten. Receipt {receipt}")
    for place, count in counts.items():
        console.print(f"  {place:<24}{count:>8,}")
    return 0


def _execute_again(console: Console, store: Store, subject: Subject) -> None:
    """Executed notebooks show rows: where the tenant has some, they are executed anew."""
    folder = store.settings.reports_dir / tenant_folder(subject.tenant) / "notebooks"
    if any(folder.glob("*.ipynb")):
        notebooks.execute_all(console, store, subject.tenant)
