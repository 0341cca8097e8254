"""Pure frame-to-frame functions, one subject a file: no I/O, no Dagster, no SQLAlchemy."""
