"""Watches in Postgres: a sync's transaction, descriptions of titles, sums and progress, users' time zones and goals."""
