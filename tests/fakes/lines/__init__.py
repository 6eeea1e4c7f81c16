"""A connector as small as one can be: events in edge form, one a line of a growing file.

It is the example of docs/howto/add-a-connector.md, and shows with the suite that every connector
passes that a folder and a row are all it takes.
"""
