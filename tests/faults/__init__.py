"""Cuts every write of the program at every step, and checks that nothing finished is lost.

`python -m tests.faults` tries all faults and prints a table; see docs/reliability.md.
"""
