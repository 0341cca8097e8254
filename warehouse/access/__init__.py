"""Who may come in: tenants, keys, users, tickets, and how much of a quota is left."""
