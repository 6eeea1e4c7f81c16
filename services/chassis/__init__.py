"""How a process lives: settings, logs, stores, HTTP shell, tokens, shutdown.

Law of the room: no domain word. It imports neither `contracts` nor another service, and importing
a module opens nothing: files, sockets and pools are opened by a call from `__main__` or a lifespan.
"""
