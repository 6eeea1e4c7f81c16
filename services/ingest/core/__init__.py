"""Decides about one event at a time, in plain values.

The law of this room: no broker, no store, no log and no clock; what time it is, who calls and what
is known (areas, indicators, the pseudonym key) is passed in.
"""
