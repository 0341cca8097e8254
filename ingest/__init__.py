"""The Litestar service that lands raw payloads. No metric is computed here, no aggregate is read."""
