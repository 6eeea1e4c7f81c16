"""Receivers: one folder a kind. Each sends one delivery and says how it went.

A kind has a receiver (who, read from the receivers file) and a sender with ``send(receiver,
delivery) -> Outcome``. A sender keeps nothing between two deliveries; what is tried again, and
when, stands in the store.
"""
