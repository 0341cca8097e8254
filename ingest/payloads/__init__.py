"""The bodies that the endpoint accepts, one contract a file. No routing, no storage."""
