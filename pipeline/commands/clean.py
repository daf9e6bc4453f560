"""`greenlight clean`: frees what old runs left in an output directory."""

from typing import Annotated

import typer

from pipeline.clean import find_old, remove
from pipeline.output import Folders, find_output, held
from pipeline.progress import quiet
from pipeline.store import check_store, keep_store
from schemas.artifacts import LOG_FILE
from schemas.errors import UserError


def clean(
    output_dir: Annotated[str, typer.Option(help="where the runs were written")] = "runs/default",
    keep: Annotated[int, typer.Option(min=0, help="newest runs that keep all of theirs")] = 3,
    days: Annotated[float, typer.Option(min=0, help="what is younger stays, too")] = 7.0,
    refused: Annotated[
        bool, typer.Option("--refused", help="also old reports that refused a model")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go")] = False,
) -> None:
    """Frees artifacts of old runs; what is served, blessed, pushed or reported stays."""
    folders = Folders(find_output(output_dir))
    if not folders.metadata.is_file():
        raise UserError(f"{output_dir} holds no runs: name their directory by --output-dir.")
    with held(folders.output), quiet(folders.output / LOG_FILE) as console:
        with console.status("Looking for what is old"):
            from pipeline.metadata import Metadata

            for note in check_store(folders.metadata, folders.artifacts):
                console.print(f"Note: {note}.", highlight=False, markup=False, soft_wrap=True)
            metadata = Metadata(str(folders.metadata))
            old = find_old(metadata, folders, keep, days, refused)
        if not dry_run:
            with console.status("Removing it"):
                remove(old, metadata, folders)
                keep_store(folders.metadata)
    said = "would be freed" if dry_run else "are freed"
    typer.echo(
        f"{old.bytes / 1e6:,.1f} MB {said}: {len(old.artifacts)} artifacts, and {len(old.folders)} "
        "folders of unfinished trainings, damage and reports."
    )
