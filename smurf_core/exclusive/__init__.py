"""Exclusive contributions: who shares what with whom, as a convex problem. Imports no torch."""
