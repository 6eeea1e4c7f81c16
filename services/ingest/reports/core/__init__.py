"""What a form asks, what a sent report says, and what is wrong with it: all in values."""
