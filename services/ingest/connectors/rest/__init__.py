"""Pages through a JSON API that can be asked for what has changed since a time; see README.md.

The law of this room: the watermark moves only when a pass through all pages has come to its end, and
the next pass begins a while before it. What comes twice for that is harmless.
"""
