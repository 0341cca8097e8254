"""Assets, one subject a file: a few lines each over `warehouse`."""
