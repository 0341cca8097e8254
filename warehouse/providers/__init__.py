"""Where metadata comes from: TVDB, TMDB, YouTube and Spotify behind one `catalog.Catalog`.

Nothing here stores: every raw answer is handed back, and whoever asked lands it. Facts of the services are in the
module of each; what all have in common (deadline, retries, rate, tokens, answers) is a module each beside them.
"""
