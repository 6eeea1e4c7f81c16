"""The steps from an indicator event to a delivered letter, one a file.

consuming → evaluating → telling → delivering, and publishing beside it. Steps meet in the store
alone: each can die at any point and be repeated.
"""
