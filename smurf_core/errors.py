"""The error for bad input: it says what is wrong, where, and how to fix it."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input from a user, described in one clear sentence.

    The message names what is wrong, where (file, column, row), and how to fix it. The app shows
    it in an error box and the command line prints it and exits with code 2; neither shows a
    traceback.
    """

    def __init__(self, message: object = "") -> None:
        # Names that come from a file may contain line ends.
        super().__init__(" ".join(str(message).splitlines()))
