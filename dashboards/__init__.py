"""Plotly figures and the pages that hold them. Nothing here reads the lake or the database."""
