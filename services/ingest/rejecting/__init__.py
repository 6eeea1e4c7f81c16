"""Rejections that can be worked on: kept in PostgreSQL, shown masked, taken again.

The law of this room: an identifier of a citizen or household stands in the sealed original alone.
Whatever is shown, logged, counted or kept beside it is masked, and doing a thing twice is harmless.
"""
