"""Retention, deletion requests, rebuilds, housekeeping, backups: what is done to data beside building from it."""
