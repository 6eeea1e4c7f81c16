"""The embedded stack: everything on loopback, on a bare machine, under one supervisor.

The law of this room: it starts, watches and stops processes and holds no rule of the domain.
What it starts is told where to be by arguments and environment alone, exactly as in any other
deployment; nothing here is imported by a service.
"""
