"""Incidents as they are kept and told. How they are found in numbers is in `warehouse.metrics.incidents`."""
