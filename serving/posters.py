"""Whether the page shows the pictures that the source names, and from where."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from schemas.errors import UserError

PATH = "posters"  # below which the folder's files are


@dataclass(frozen=True)
class Posters:
    """What is shown of them; nothing unless it is asked for.

    elsewhere: whether browsers may fetch those that have an address: it tells its host who looks.
    folder: of those that are files; None: none of them.
    """

    elsewhere: bool = False
    folder: Path | None = None

    def address(self, named: str) -> str | None:
        """Where a browser finds what the source names; None: it is not to be shown."""
        if "://" in named:
            return named if self.elsewhere and named.startswith("https://") else None
        return f"{PATH}/{quote(named)}" if named and self.folder is not None else None

    @property
    def policy(self) -> str:
        """What a page may show beside its own, as a Content-Security-Policy has it."""
        return "; img-src 'self' https:" if self.elsewhere else ""


NONE = Posters()


def checked(elsewhere: bool, folder: Path | None) -> Posters:
    """What the options ask for.

    Raises:
      UserError: there is no such folder.
    """
    if folder is not None and not folder.is_dir():
        raise UserError(f"--poster-folder {folder} is no folder.")
    return Posters(elsewhere, folder)
