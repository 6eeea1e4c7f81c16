"""The HTTP interface of scoring: reads figures and says them as the wire contract has it.

The law of this room: read only, no state of its own but the subscribers of the stream.
"""
