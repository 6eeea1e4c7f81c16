"""Connectors: how ingest reads sources that cannot post their events.

The law of this room: a connector is a folder with a README, a config model and a pure `mapping.py`,
and one row in `table.py`. It reads (`read(cursor) -> page`) and it maps one record to events
(`map(original) -> events`); nothing else. What happens to events, when a cursor is kept, what is
refused, tried again and measured is the same for all of them and stands in `running.py`.
"""
