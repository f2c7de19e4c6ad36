"""Puts the app into the wheel, inside the library's package: `import app` is never ours."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STUDIO = "smurf_core/_studio"


class AppInsidePackage(BuildHookInterface):  # type: ignore[misc]  # hatchling has no types
    """Adds app/, pages/ and Streamlit's configuration under smurf_core/_studio/.

    Not when it is installed with `-e`: then the app of the checkout is used.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files of a standard wheel."""
        if version == "standard" and self.target_name == "wheel":
            for name in ("app", "pages", ".streamlit/config.toml"):
                build_data["force_include"][name] = f"{STUDIO}/{name}"
