"""The tracker's client: what was watched locally and as links, sent to an endpoint anywhere, cleaned up afterwards.

Only HTTP leads from here to the endpoint, which may be another machine: nothing here opens the storage.
"""
