"""The assets of a derivation: built by days, or as a whole, by the one engine of `warehouse.building`."""

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.metadata import report_rows, spec
from pipelines.partitions import DAYS, days_of
from warehouse import building
from warehouse.derivations import Derivation
from warehouse.store import Store


def derived(step: Derivation, group: str) -> dg.AssetsDefinition:
    """Return the assets of a step: one for each target, all built together from the step's sources."""
    everything = dg.AllPartitionMapping() if step.whole else None
    deps = [dg.AssetDep(source.name, partition_mapping=everything) for source in step.sources]

    @dg.multi_asset(
        name=step.recorded.name,
        specs=[spec(target, group, deps=deps) for target in step.targets],
        partitions_def=None if step.whole else DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def assets(
        context: dg.AssetExecutionContext, store: dg.ResourceParam[Store]
    ) -> Iterator[dg.MaterializeResult[None]]:
        built = building.build(store, step, () if step.whole else days_of(context))
        for name, metadata in report_rows(context, built).items():
            yield dg.MaterializeResult(asset_key=name, metadata=metadata)

    return assets
