"""The endpoint's own gauges, as Prometheus would read them."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


def gauges(client: httpx.Client) -> dict[str, float]:
    """Return the samples without labels of `/metrics`, by name."""
    text = client.get("/metrics").text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {sample.name: sample.value for sample in samples if not sample.labels}
