"""What is said: envelope, events, subjects, topics, catalogue, areas, pace.

The law of this room: plain values and the rules that define them. Nothing here opens a connection,
reads a clock or imports a service; every service may import all of it.
"""
