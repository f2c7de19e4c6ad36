"""The status of a run or an extraction as a coloured word."""

_COLOURS = {"finished": "green", "failed": "red", "crashed": "red", "cancelled": "orange"}


def status_badge(status: str) -> str:
    """A status as a coloured word, in Markdown."""
    return f":{_COLOURS.get(status, 'blue')}-badge[{status}]"
