"""The invented province: a seeded stream of subject events in edge form.

Law of this room: pure and repeatable. Everything follows from the seed, the number of citizens and
the moments passed in; nothing here reads a clock, opens a file of its own or speaks to a network.
Nobody is held in memory: a citizen is derived anew from (seed, index) whenever one is needed, so
millions cost no more memory than one. No citizen here is real: their numbers begin with province
codes that Viet Nam has never given out (000, and 900 upward; real ones run from 001 to 096).
"""
