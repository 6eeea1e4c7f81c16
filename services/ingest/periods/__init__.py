"""Reporting periods: what units have reported, how complete and how timely, and reminders.

`receipts` keeps what has come, `reading` judges it, `routes` answers for it, `reminding` tells of
it on ``report-events.v1``, `metrics` counts it. The periods themselves are `contracts.reporting`.
"""
