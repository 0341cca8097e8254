"""Watch histories that other services export, read into watches. Pure: no file, no storage, no network."""
