"""Figures, one subject a file: a frame goes in, a `plotly.graph_objects.Figure` comes out."""
