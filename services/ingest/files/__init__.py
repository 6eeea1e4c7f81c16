"""Files of events: rows of CSV and of workbooks, read a piece at a time.

What a row says is the core's (`services.ingest.core.rows`); here bytes become rows, within bounds.
"""
