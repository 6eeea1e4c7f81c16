"""Care of the state: counting it over, building it anew, telling what other rules would change.

The law of this room: it runs beside the service, at any time. It changes a shard only as the service
does, in one transaction that holds the lock of the shard's row and moves its batch number, so that
a worker with a state of its own in memory finds out and loads it again.
"""
