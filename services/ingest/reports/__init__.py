"""Reports of units: the form they fill in, its taking in, and every version that was sent.

The law of this room: a report is taken whole or not at all, it is never overwritten, and it counts
as accepted only when the broker has acknowledged its events. `core` decides in values; `sheet`
draws the form, `reading` and `workbook` read what came back, `store` keeps it, `taking` takes it in
and finishes what a crash has left, `routes` answers over HTTP.
"""
