"""The `nhipso` command: one file a command.

Law of this room: a command parses its words, asks other rooms or services, and prints. It speaks
to the services over their HTTP interfaces alone, so it can do nothing that another program could
not do. What it prints to standard output is the answer; progress and complaints go to standard
error. Exit codes are in `exits`, the same for every command.
"""
