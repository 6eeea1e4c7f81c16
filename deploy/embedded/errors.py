"""What can go wrong with the embedded stack and a person can put right."""


class StackError(Exception):
    """The stack cannot go on. The message says what is wrong, where, and what to do."""
