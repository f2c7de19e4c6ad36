"""The import rules of the house: pages → app → smurf_core → (torch, numpy, pandas, scipy)."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INTERFACES = {"streamlit", "plotly", "altair"}
# Folder or file → packages that nothing in it may import, not even inside a function.
FORBIDDEN = {
    "smurf_core": INTERFACES | {"app", "pages"},
    "smurf_core/plot": {"streamlit", "torch", "app", "pages"},
    "app": {"torch", "pages"},
    "pages": {"plotly", "altair", "torch", "pages"},
}
# These must not import torch when they are imported, so that the web process stays light.
TORCH_FREE = (
    "smurf_core/data",
    "smurf_core/evaluation",
    "smurf_core/statistics",
    "smurf_core/runs",
    "smurf_core/extraction",
    "smurf_core/from_recordings",
    "smurf_core/codec.py",
    "smurf_core/configuration.py",
    "smurf_core/model_kinds.py",
    "smurf_core/contributions.py",
    "smurf_core/attribution.py",
    "smurf_core/what_if.py",
    "smurf_core/scaling.py",
    "smurf_core/fitted.py",
    "smurf_core/terms.py",
    "smurf_core/results.py",
)
# `smurf_core` part → parts of it that it must not import: data flows one way.
ONE_WAY = {
    "data": {"models", "losses", "training", "evaluation", "runs"},
    "models": {"training", "evaluation", "runs"},
    "losses": {"models", "training", "evaluation", "runs"},
    "training": {"evaluation", "runs"},
    "evaluation": {"models", "losses", "training", "runs"},
    "extraction": {"models", "losses", "training", "evaluation"},
    "from_recordings": {"models", "losses", "training", "evaluation"},
}

LONGEST = 450  # lines of a source file
# Longer ones that are being split. An entry whose file is short again must go.
TOO_LONG: set[str] = set()
LONGEST_COMMAND = 300  # lines of a file of the command line


def python_files(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def module_level(tree: ast.Module) -> ast.Module:
    """The module without the bodies of its functions."""
    body = [n for n in tree.body if not isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    # What only the type checker reads is not imported.
    body = [n for n in body if not (isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test))]
    return ast.Module(body=body, type_ignores=[])


@pytest.mark.parametrize("place", FORBIDDEN)
def test_no_layer_imports_upwards(place: str) -> None:
    files = python_files(place)
    if place == "smurf_core":  # Figures also belong to the library, but it never loads them.
        files = [path for path in files if not path.is_relative_to(ROOT / "smurf_core/plot")]
    assert files, f"there is nothing in {place}"
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(ast.parse(path.read_text(encoding="utf-8")))
        if name.split(".")[0] in FORBIDDEN[place]
    ]
    assert not wrong


def test_the_library_loads_its_figures_only_when_they_are_asked_for() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in python_files("smurf_core")
        if not path.is_relative_to(ROOT / "smurf_core/plot")
        and any(
            name.startswith("smurf_core.plot")
            for name in imported(module_level(ast.parse(path.read_text(encoding="utf-8"))))
        )
    ]
    assert not wrong


@pytest.mark.parametrize("place", TORCH_FREE)
def test_what_the_web_process_imports_does_not_import_torch(place: str) -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in python_files(place)
        if "torch" in {n.split(".")[0] for n in imported(module_level(ast.parse(path.read_text())))}
    ]
    assert not wrong


@pytest.mark.parametrize("part", ONE_WAY)
def test_data_flows_one_way_inside_the_core(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(f"smurf_core/{part}")
        for name in imported(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith("smurf_core.") and name.split(".")[1] in ONE_WAY[part]
    ]
    assert not wrong


def test_statistics_know_arrays_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files("smurf_core/statistics")
        for name in imported(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith("smurf_core.")
        and not name.startswith(("smurf_core.statistics", "smurf_core.errors"))
    ]
    assert not wrong


def test_no_file_of_app_hides_a_module_of_another_name() -> None:
    """`streamlit run app/main.py` puts app/ first on the path: app/types.py would shadow types."""
    names = {path.stem for path in (ROOT / "app").iterdir() if path.suffix in (".py", "")}
    assert not names & (set(sys.stdlib_module_names) | INTERFACES | {"torch", "numpy", "pandas"})


def folder_imports(root: Path) -> dict[str, set[str]]:
    """Folder of a package → folders there that its files import; `.` is the package itself."""
    package = ".".join(root.relative_to(ROOT).parts)
    edges: dict[str, set[str]] = {}
    for path in sorted(root.rglob("*.py")):
        own = str(path.parent.relative_to(root))
        for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if name == package or not name.startswith(f"{package}."):
                continue
            place = root.joinpath(*name.removeprefix(f"{package}.").split("."))
            # The name may be that of a module, of a folder, or of something in a module.
            folder = place if place.is_dir() else place.parent
            folder = folder if folder.is_dir() else folder.parent
            other = str(folder.relative_to(root))
            if other != own:
                edges.setdefault(own, set()).add(other)
    return edges


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Ways that lead from a folder over others back to it."""
    found = []

    def follow(way: list[str]) -> None:
        for other in sorted(edges.get(way[-1], ())):
            if other == way[0]:
                found.append([*way, other])
            elif other not in way:
                follow([*way, other])

    for start in sorted(edges):
        follow([start])
    return found


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}})[0] == ["a", "b", "c", "a"]


def test_the_folders_of_data_import_each_other_in_one_direction() -> None:
    edges = folder_imports(ROOT / "smurf_core/data")
    assert {".", "readers"} <= edges["importing"]  # They are seen at all.
    assert circles(edges) == []


def test_files_are_short_enough_to_read() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for place in ("smurf_core", "app", "pages")
        for path in python_files(place)
    }
    assert {name for name, length in lengths.items() if length > LONGEST} == TOO_LONG
    commands = {n: k for n, k in lengths.items() if n.startswith("smurf_core/cli/")}
    assert commands
    assert {name for name, length in commands.items() if length > LONGEST_COMMAND} == set()


def test_every_figure_is_drawn_with_settings_of_ours() -> None:
    """Without them there is Plotly's logo, and points at twice the screen's resolution."""
    drawn = 0
    for path in [*(ROOT / "app").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "plotly_chart":
                drawn += 1
                named = {argument.arg for argument in node.keywords}
                assert "config" in named, f"{path.relative_to(ROOT)}:{node.lineno}"
    assert drawn > 20
