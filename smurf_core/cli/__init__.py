"""The command line: `smurf`, one file per noun; `application.py` lists the commands."""

from smurf_core.cli.application import app, main

__all__ = ["app", "main"]
