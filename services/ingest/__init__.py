"""Takes events in at the edge: checks, authorises, pseudonymises, publishes.

The law of this room: an identifier of a citizen or household goes no further than this process.
What leaves it is a pseudonym, a mask (``***``) or sealed for ingest alone. An answer is given only
after the broker has acknowledged everything it speaks of. The decisions are in `core`, as values;
everything else here is a thin edge around them.
"""
