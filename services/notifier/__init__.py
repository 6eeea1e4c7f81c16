"""Compares indicators with the pace to their targets and tells the unit, once, with reasons.

Law of the room: `core` decides in values; `store` is the only one that speaks SQL; each step of
`pipeline` reads and writes the store and can be repeated; `receivers/<kind>` send one message and
say whether to try again. Nothing leaves before it stands in the store.
"""
