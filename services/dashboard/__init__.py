"""Pages for people: how the province and each commune stand, and what is firing.

Law of the room: it only reads the HTTP interfaces of scoring and notifier. `views` turns their
answers into what a page shows, without I/O; templates only lay it out.
"""
