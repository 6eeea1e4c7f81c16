"""Scoring: folds subject events into facts, counts them by unit, rolls up the tree of units.

The law of this room: state changes in one place only, the shard transaction (`shard.py`). What to
change is decided by values in `core/`; what is told and read hangs on what that transaction wrote.
"""
