"""HTTP routes, one family a file: handlers of a few lines over the landing."""
