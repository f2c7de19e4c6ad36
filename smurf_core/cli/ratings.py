"""`smurf ratings`: design a collection of human ratings, assign, watch, export and use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smurf_core.cli.options import choice
from smurf_core.cli.output import name_written, new_table, out, print_table
from smurf_core.cli.progress import Steps
from smurf_core.cli.rating_power import power
from smurf_core.errors import InputError
from smurf_core.ratings.agreement import agreement_table
from smurf_core.ratings.catalogue import (
    CollectionInfo,
    collection_info,
    create_collection,
    list_collections,
    open_collection,
)
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Design, read_design, write_design
from smurf_core.ratings.interface import languages
from smurf_core.ratings.quality import rater_quality
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import answer_table, progress_table, rater_table
from smurf_core.ratings.traces.account import trace_account
from smurf_core.ratings.traces.collected import trace_sets
from smurf_core.reporting.trace_sentence import lag_sentences, trace_sentence
from smurf_core.runs.studies import load_study
from smurf_core.runs.table_files import FORMATS
from smurf_core.runs.workspace import Workspace

ratings_app = typer.Typer(
    help="Collect what people hear, see and read in clips, and use it as a study's judgments.",
    no_args_is_help=True,
)
ratings_app.command()(power)
_Study = Annotated[str, typer.Argument(help="A study's id.")]
_Collection = Annotated[str, typer.Argument(help="A collection's id, or `last`.")]
_Seed = Annotated[int, typer.Option(help="Seed of all random draws.")]


@ratings_app.command()
def design(
    study: _Study,
    output: Annotated[Path, typer.Option(help="YAML file to write; it must not exist.")] = Path(
        "design.yaml"
    ),
    language: Annotated[str, choice(languages(), "Language of the rater's page.")] = "en",
) -> None:
    """Write a design to start from: all modalities but one, each in its turn, and all of them."""
    if output.exists():
        raise InputError(f"{output} exists; name another file with --output.")
    made = default_design(load_study(Workspace.default(), study), language=language)
    write_design(made, output)
    what = f"{len(made.conditions)} conditions, {len(made.scales)} scales"
    out.print(f"{output}: {what}", markup=False)


@ratings_app.command()
def assign(
    study: _Study,
    source: Annotated[str, typer.Argument(help="A design's YAML file, or a collection's id.")],
    raters: Annotated[
        int | None, typer.Option(help="Raters to invite.", show_default="whom the plan needs")
    ] = None,
) -> None:
    """Begin a collection, or invite further raters to one, and print a token for each.

    A token is the secret part of a rater's link. It is shown once, because only its hash is stored.
    """
    workspace = Workspace.default()
    if Path(source).suffix in (".yaml", ".yml"):
        collection = create_collection(workspace, study, read_design(Path(source)))
    else:
        collection = _found(workspace, study, source)
    plan = collection.design_version().plan
    count = plan.slots - len(rater_table(collection)) if raters is None else raters
    if count < 1:
        raise InputError("The plan needs no further rater; name a number with --raters.")
    out.print(
        f"{collection.id}: {len(plan.clips)} clips, {len(plan.conditions)} conditions, "
        f"{plan.raters_per_cell} raters per clip and condition, {plan.slots} raters in all",
        markup=False,
    )
    for _ in range(count):
        invitation = collection.invite()
        out.print(f"rater {invitation.rater}: {invitation.token}", markup=False, soft_wrap=True)


@ratings_app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port.")] = 8502,
    address: Annotated[
        str, typer.Option(help="Address to listen on; by default this machine only.")
    ] = "127.0.0.1",
    url: Annotated[
        str,
        typer.Option(
            help="Address for raters, such as a proxy's.", show_default="address and port"
        ),
    ] = "",
) -> None:
    """Serve the rater's page, and nothing else, until Ctrl-C: links are ADDRESS/r/TOKEN."""
    from smurf_core.processes import rater_server

    out.print(
        f"{rater_server.checked_url(url) or f'http://{address}:{port}'}/r/TOKEN", markup=False
    )
    rater_server.serve(Workspace.default(), port=port, address=address, url=url)


@ratings_app.command()
def status(
    study: _Study,
    collection: Annotated[str, typer.Argument(help="A collection's id, or `last`.")] = "",
) -> None:
    """List a study's collections, or show progress, agreement and raters of one."""
    workspace = Workspace.default()
    if not collection:
        table = new_table("collection", "title", "raters", "answers", "state", "made by")
        for info in list_collections(workspace, study):
            table.add_row(
                info.id, info.title, str(info.raters), f"{info.answers} of {info.items}",
                "open" if info.is_open else "closed", _origin(info),
            )  # fmt: skip
        out.print(table)
        return
    found = _found(workspace, study, collection)
    info, newest = collection_info(found), found.design_version().design
    out.print(
        f"{info.id}: {info.answers} of {info.items} answers by {info.raters} raters, "
        f"{_origin(info)}",
        markup=False,
    )
    progress = progress_table(found)
    totals = progress.groupby("condition", sort=False)[["needed", "rated", "open"]].sum()
    print_table(totals.reset_index(), "condition")
    answers = answer_table(found)
    print_table(
        agreement_table(newest, answers)[
            ["condition", "key", "clips", "ratings", "icc", "icc_low", "icc_high", "alpha",
             "alpha_low", "alpha_high"]
        ],
        "agreement",
    )  # fmt: skip
    for traces in trace_sets(found):
        account = trace_account(traces)
        for sentence in (trace_sentence(account), *lag_sentences(account)):
            out.print(sentence, markup=False, soft_wrap=True)
    quality = rater_quality(newest, answers)
    for _, row in (quality[quality["marks"] != ""] if len(quality) else quality).iterrows():
        out.print(f"rater {row['rater']}: {row['marks']}", markup=False)


@ratings_app.command()
def export(
    study: _Study,
    collection: _Collection,
    folder: Annotated[
        Path | None, typer.Option(help="New folder to write.", show_default="ratings-COLLECTION")
    ] = None,
    format: Annotated[str, choice(FORMATS, "Format of the tables.")] = "csv",
    identities: Annotated[
        bool, typer.Option("--identities", help="Also write raters' names and contacts.")
    ] = False,
) -> None:
    """Write a collection as tidy tables with codebook, design and an R script."""
    from smurf_core.ratings.export import export_ratings

    found = _found(Workspace.default(), study, collection)
    target = folder or Path(f"ratings-{found.id}")
    name_written(target, export_ratings(found, target, format, with_identities=identities))


@ratings_app.command()
def use(
    study: _Study,
    collection: Annotated[str, typer.Argument(help="A collection's id, or `last`.")] = "last",
    scale: Annotated[
        str, typer.Option(help="Scale of the judgments.", show_default="that of the target")
    ] = "",
    condition: Annotated[
        list[str] | None, typer.Option(help="Only this condition; repeatable.")
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Use the judgments of the study's files again.")
    ] = False,
) -> None:
    """Make ratings the study's judgments and informativeness, for all pages and commands."""
    from smurf_core.ratings.use import stop_using, use_ratings

    workspace = Workspace.default()
    if stop:
        load_study(workspace, study)
        stop_using(workspace, study)
        out.print("The study has the judgments of its files again.", markup=False)
        return
    found = _found(workspace, study, collection)
    used = use_ratings(workspace, found, scale=scale or None, conditions=condition)
    out.print(used.sentence, markup=False, soft_wrap=True)


@ratings_app.command()
def simulate(
    study: _Study,
    source: Annotated[
        Path | None, typer.Argument(help="A design's YAML file.", show_default="a default design")
    ] = None,
    raters: Annotated[
        int | None, typer.Option(help="Simulated raters.", show_default="whom the plan needs")
    ] = None,
    seed: _Seed = 0,
) -> None:
    """Let simulated raters rate a simulated study; the collection is marked as simulated."""
    from smurf_core.ratings.simulate import perceived, simulate_raters

    workspace = Workspace.default()
    dataset = load_study(workspace, study)
    perceived(dataset, dataset.modalities)  # Before a collection is made of a study of people.
    chosen: Design = default_design(dataset) if source is None else read_design(source)
    made = create_collection(workspace, study, chosen, is_simulated=True)
    with Steps("raters") as progress:
        count = simulate_raters(made, dataset, raters=raters, seed=seed, progress=progress)
    out.print(f"{made.id}: {count} simulated raters", markup=False)


def _found(workspace: Workspace, study: str, collection: str) -> Collection:
    """A collection by its id, or the last one."""
    load_study(workspace, study)
    known = list_collections(workspace, study)
    if collection == "last" and known:
        collection = known[0].id
    return open_collection(workspace, study, collection)


def _origin(info: CollectionInfo) -> str:
    return "simulated raters" if info.is_simulated else "people"
