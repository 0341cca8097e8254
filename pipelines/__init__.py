"""Dagster, and only here: assets, checks, schedules and sensors over `warehouse.metrics`."""
