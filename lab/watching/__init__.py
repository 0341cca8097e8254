"""People who watch: a sample catalogue, its provider server, a seeded history of each person, and what is true of it.

Everything is invented and says so: titles end in "(sample)", and no id can be one of a real service.
"""
