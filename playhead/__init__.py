"""The front door: the `playhead` command and what it starts."""
