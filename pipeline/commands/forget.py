"""`greenlight forget`: takes people out of an output directory, and keeps them out."""

from typing import Annotated

import typer

from pipeline.forgotten import remember_to_forget
from pipeline.output import Folders, find_output, held
from pipeline.progress import quiet
from pipeline.store import check_store, keep_store
from pipeline.vertex.folder import FOLDER
from schemas.artifacts import LOG_FILE
from schemas.errors import UserError
from schemas.text import printable

STAYS = (
    "What the models' weights learned of everybody together cannot be unlearned: the next training "
    "is without them."
)
COMPILED = (
    "There is no run of this machine. Jobs that `greenlight vertex` compiles here from now on "
    "leave them out: submit and schedule anew. What lies in the cloud is as it was."
)


def forget(
    users: Annotated[list[str], typer.Argument(metavar="USER...", help="ids of users")],
    output_dir: Annotated[str, typer.Option(help="where the runs were written")] = "runs/default",
) -> None:
    """Removes people from served models, reports and all else that runs left; no run reads them."""
    folders = Folders(find_output(output_dir))
    if not all(users):
        raise UserError("An id is empty: give the ids as the rating files have them.")
    if not folders.metadata.is_file():
        if not (folders.output / FOLDER).is_dir():
            raise UserError(f"{output_dir} holds no runs: name their directory by --output-dir.")
        with held(folders.output):
            remember_to_forget(folders.output, users)
        typer.echo(COMPILED)
        return
    with held(folders.output), quiet(folders.output / LOG_FILE) as console:

        def tell(sentence: str) -> None:
            console.print(printable(sentence), highlight=False, markup=False, soft_wrap=True)

        forgotten = remember_to_forget(folders.output, users)
        with console.status("Loading TensorFlow"):
            from pipeline.forget import forget as take_out
            from pipeline.forget import strange
            from pipeline.forget_sources import files_with
            from pipeline.metadata import Metadata

        for note in check_store(folders.metadata, folders.artifacts):
            tell(f"Note: {note}.")
        metadata = Metadata(str(folders.metadata))
        with console.status("Taking them out"):
            for sentence in take_out(metadata, folders, users, forgotten):
                tell(sentence)
            keep_store(folders.metadata)
        tell(STAYS)
        with console.status("Looking for their rows in the files that the last run read"):
            for path in files_with(metadata, users):
                tell(f"Your own file still holds rows of them, which no run reads: {path}")
        if unknown := strange(folders.output):
            tell(f"Not made by a run, so not looked at: {', '.join(unknown)}.")
