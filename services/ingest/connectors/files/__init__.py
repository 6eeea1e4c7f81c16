"""Reads files of events that are dropped in a folder; see README.md."""
