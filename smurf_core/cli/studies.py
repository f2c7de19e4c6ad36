"""`smurf check`, `import` and `studies`: from files to studies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from smurf_core.cli.output import clock, new_table, out
from smurf_core.cli.roles import Roles, chosen_data, with_roles
from smurf_core.cli.targets import is_study
from smurf_core.data.dataset import FurtherTarget, MultimodalDataset
from smurf_core.data.importing.assembly import Assembly
from smurf_core.data.importing.fold_origin import fold_sentence
from smurf_core.data.importing.mapping import media_settings, read_mapping, write_mapping
from smurf_core.data.media import check_media
from smurf_core.errors import InputError
from smurf_core.runs import own_studies, studies
from smurf_core.runs.workspace import Workspace

_Files = Annotated[
    list[str],
    typer.Argument(
        help="Files or folders with features, or a study.yaml in the folder of its files."
    ),
]


@with_roles
def check(
    data: _Files,
    *,
    roles: Roles,
    write: Annotated[
        Path | None,
        typer.Option(help="Write the columns' roles to this YAML file, so that you can edit it."),
    ] = None,
) -> None:
    """Read files and print their content and problems. Nothing is stored."""
    chosen = chosen_data(data, roles)
    assembly = chosen.assembled()
    _describe(assembly)
    if write:
        write_mapping(assembly.mapping, write)


@with_roles
def import_study(
    data: _Files,
    *,
    roles: Roles,
    media_folder: Annotated[
        Path | None, typer.Option("--media", help="Folder with the samples' sound and video.")
    ] = None,
) -> None:
    """Make a study from files, for the app and for `smurf train`, and print problems.

    The last line is the study's id. The same files are imported only once.
    """
    workspace = Workspace.default()
    chosen = chosen_data(data, roles)
    mapping = chosen.mapping
    if media_folder:
        mapping = replace(mapping, media_folder=str(media_folder.resolve()))
    assembly = chosen.assembled(mapping)
    settings = media_settings(mapping, chosen.folder, assembly.dataset.samples)
    recordings = check_media(settings, assembly.dataset) if settings else ""
    _describe(assembly)
    if recordings:
        out.print(f"  {recordings}", markup=False)
    study = _found_or_added(workspace, assembly)
    if settings:
        studies.set_media(workspace, study, settings)
    out.print(study)


def list_studies() -> None:
    """List imported data sets, newest first."""
    workspace = Workspace.default()
    table = new_table("study", "name", "task", "target", "samples", "modalities", "imported")
    for study in studies.list_studies(workspace):
        targets = studies.targets_of(workspace, study)
        table.add_row(
            study.id, study.name, ", ".join(dict.fromkeys(targets.values())),
            ", ".join(targets), str(study.samples), ", ".join(study.modalities),
            clock(study.created),
        )  # fmt: skip
    out.print(table)


def study_of(workspace: Workspace, data: list[str], roles: Roles) -> str:
    """The id of the named study, or of a study made from files (once).

    Targets that a mapping already names are not changed by `--target`: they are chosen from.
    """
    if is_study(data):
        if data[0] == studies.SYNTHETIC_STUDY:
            own_studies.ensure_synthetic_study(workspace)
        if data[0] in {study.id for study in studies.list_studies(workspace)}:
            if replace(roles, target=None).are_given:
                raise InputError(
                    f"{data[0]!r} is an imported study; the roles of its columns cannot be changed."
                )
            return data[0]
    chosen = chosen_data(data, _without_known_targets(data, roles))
    assembly = chosen.assembled()
    _describe(assembly)
    return _found_or_added(workspace, assembly)


def _without_known_targets(data: list[str], roles: Roles) -> Roles:
    """The options without targets that the mapping of these files names already."""
    paths = [roles.mapping] if roles.mapping else [Path(name) for name in data]
    if not roles.target or len(paths) != 1 or paths[0].suffix.lower() not in (".yaml", ".yml"):
        return roles
    known = read_mapping(paths[0])
    is_named = {name.strip() for name in roles.target} <= {known.target, *known.targets}
    return replace(roles, target=None) if is_named else roles


def _found_or_added(workspace: Workspace, assembly: Assembly) -> str:
    provenance = assembly.provenance()
    return studies.find_study(workspace, provenance) or studies.add_study(
        workspace, assembly.dataset, problems=assembly.problems, provenance=provenance
    )


def _describe(assembly: Assembly) -> None:
    dataset = assembly.dataset
    counts = ", ".join(f"{name} {f.values.shape[1]}" for name, f in dataset.features.items())
    persons = f", {len(np.unique(dataset.persons))} persons" if dataset.persons is not None else ""
    further = [_target(name, one) for name, one in dataset.further_targets.items()]
    what = ", ".join([_target(dataset.target_name, dataset), *further])
    out.print(
        f"{dataset.name}: {len(dataset)} samples{persons}, {what}; features: {counts}",
        markup=False,
    )
    out.print(f"  folds: {fold_sentence(dataset, assembly.mapping)}", markup=False)
    for sentence in assembly.join_sentences:
        out.print(f"  join: {sentence}", markup=False, soft_wrap=True)
    for problem in assembly.problems:
        out.print(f"  {problem.severity}: {problem}", markup=False)


def _target(name: str, target: MultimodalDataset | FurtherTarget) -> str:
    if target.task == "classification":
        return f"{len(target.class_names)} classes of {name}"
    return f"regression of {name}"
