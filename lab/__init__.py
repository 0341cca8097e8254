"""What plays: viewers and, later, players. Reaches the rest over HTTP, as any SDK would."""
