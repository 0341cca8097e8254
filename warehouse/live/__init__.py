"""What is read in Postgres of running streams and of players: landing writes it, `metrics` says what it means."""
