"""Faults under load: what is injected, what must hold afterwards. Run as `python -m tests.faults`."""
