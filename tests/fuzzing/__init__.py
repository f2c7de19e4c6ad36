"""Files of every format that is read, changed at random: only the project's own error may follow.

`python -m tests.fuzzing 100000` tries that many and prints every other exception with its file.
"""
