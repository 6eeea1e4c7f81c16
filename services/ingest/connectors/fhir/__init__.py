"""The connector of FHIR servers: health records, R4 or R4B.

The law of this room: a resource is reduced to the few fields that are used before anything else is
done with it, in `reduction.py`. What is clinical is never asked for, kept, logged or sealed.
"""
