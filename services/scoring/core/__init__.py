"""The pure core: facts, evaluation and counting, as functions of values.

The law of this room: no broker, no store, no log, no clock. Today is an argument.
"""
