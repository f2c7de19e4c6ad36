"""`smurf studio`: the app."""

from __future__ import annotations

from typing import Annotated

import typer

from smurf_core.processes.studio import StudioOptions, serve


def studio(
    port: Annotated[int | None, typer.Option(help="Port; by default 8501 or the next.")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Open no browser.")] = False,
    address: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on; by default this machine only. Unless "
            "persons sign in (docs/deploy.md), the app then asks for a key."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Host name under which browsers may reach the app; repeatable."),
    ] = None,
) -> None:
    """Start the app in the browser."""
    options = StudioOptions(
        port=port, headless=headless, address=address, allowed_hosts=tuple(allow_host or ())
    )
    raise typer.Exit(serve(options))
