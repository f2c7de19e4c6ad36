"""What browsers let a page of the app load and do."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import streamlit


def content_policy() -> str:
    """The header Content-Security-Policy: scripts, files and connections of this server only.

    The inline script of Streamlit's page is allowed by its checksum.
    """
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    own = re.findall(r"<script(?:\s[^>]*)?>([^<].*?)</script>", page, re.DOTALL)
    sums = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in own]
    return "; ".join(
        (
            "default-src 'none'",
            # Streamlit loads components of its own as blobs, and styles elements in place. Plotly
            # draws thousands of points by WebGL, whose program it compiles from text.
            " ".join(("script-src 'self' blob: 'unsafe-eval'", *sums)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
