"""Reads an outbox or a table of a source's own PostgreSQL; see README.md.

The law of this room: what is new is told by transaction ids, never by the order of a column. A
transaction that commits late is found, however old the values are that it has written.
"""
