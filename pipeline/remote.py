"""Reports of runs elsewhere: found below a pipeline root, and brought here."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from schemas.artifacts import BLESSING_FILE, FACTS_FILE, Node
from schemas.errors import RunFailed, UserError

PATIENCE = 60.0  # seconds for which a listing is tried again
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class StoredReport(NamedTuple):
    """A report below a root: when it was written (seconds), and how its files are read."""

    written: float
    read: Callable[[str], bytes]


def is_root(run: str) -> bool:
    """Whether the name of a run is a pipeline root, or a folder of one, in place of a run's id."""
    if "://" in run:
        return True
    return Path(run).is_dir() and not (Path(run) / BLESSING_FILE).exists()


def find_reports(root: str) -> list[StoredReport]:
    """The reports below a pipeline root, the oldest first.

    Args:
      root: on Cloud Storage (gs://), or a folder, such as one that a bucket is mapped to.

    Raises:
      UserError: there is none, or nobody may look.
      RunFailed: the storage cannot be reached.
    """
    if "://" not in root:
        reports = _in_folder(Path(root))
    elif root.startswith("gs://"):
        reports = _in_bucket(root)
    else:
        raise UserError(f"{root}: reports are read from gs:// and from folders only.")
    if not reports:
        raise UserError(f"{root} holds no finished report: has a run come to its end there?")
    return sorted(reports, key=lambda report: report.written)


def _in_folder(root: Path) -> list[StoredReport]:
    def reader(folder: Path) -> Callable[[str], bytes]:
        return lambda name: (folder / name).read_bytes()

    return [
        StoredReport(path.stat().st_mtime, reader(path.parent))
        for path in root.rglob(f"*{Node.REPORT}*/**/{BLESSING_FILE}")
    ]


def _in_bucket(root: str) -> list[StoredReport]:
    import google.cloud.storage as storage
    from google.cloud.storage.retry import DEFAULT_RETRY

    name, _, folder = root.removeprefix("gs://").partition("/")
    prefix = f"{folder.rstrip('/')}/" if folder else ""
    with _one_sentence(root):
        bucket = storage.Client(project="").bucket(name)
        listed = bucket.list_blobs(
            prefix=prefix,
            match_glob=f"**/{BLESSING_FILE}",
            retry=DEFAULT_RETRY.with_timeout(PATIENCE),
        )
        return [
            StoredReport(_written(blob), _reader(root, bucket, blob.name))
            for blob in listed
            if Node.REPORT in blob.name
        ]


@contextmanager
def _one_sentence(root: str) -> Iterator[None]:
    """Turns what the storage says into one sentence."""
    import google.auth.exceptions
    import requests
    from google.api_core import exceptions

    try:
        yield
    except google.auth.exceptions.DefaultCredentialsError as error:
        raise UserError(
            "Nobody is logged in to Google Cloud: run `gcloud auth application-default login`."
        ) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # the client trips over it
        raise UserError(
            f"{root} cannot be read: what answers is not Cloud Storage; is there a proxy or a "
            "login page in between?"
        ) from error
    except exceptions.ClientError as error:
        reason = error.response.reason if error.response is not None else error.message
        raise UserError(
            f"{root} cannot be read: {reason}; is the name right, and have you the role "
            "storage.objectViewer?"
        ) from error
    except (
        exceptions.GoogleAPIError,
        google.auth.exceptions.TransportError,
        requests.RequestException,
    ) as error:
        raise RunFailed(f"{root} cannot be reached: try again later.") from error


def _written(blob: Any) -> float:
    """When an object was written, in seconds; ValueError where the answer does not say."""
    if blob.updated is None:
        raise ValueError("an object without its time")
    return float(blob.updated.timestamp())


def _reader(root: str, bucket: Any, path: str) -> Callable[[str], bytes]:
    folder = path.rpartition("/")[0]

    def read(name: str) -> bytes:
        with _one_sentence(root):
            return bytes(bucket.blob(f"{folder}/{name}").download_as_bytes())

    return read


def read_json(report: StoredReport, name: str) -> dict[str, Any]:
    """The content of one of a report's files.

    Raises:
      UserError: it is no JSON object, or nobody may read it.
      RunFailed: the storage cannot be reached.
    """
    try:
        content = json.loads(report.read(name))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{name} of the report is broken: fetch another run's, or run it again.")
    return content


def fetch(report: StoredReport, reports: Path) -> Path:
    """Writes a report anew below `reports`, as a run here would have left it.

    Returns the folder of the report.

    Raises:
      UserError: another version wrote it, or see `read_json`.
      RunFailed: see `read_json`.
    """
    import jsonschema

    from pipeline.publish import check, place

    content, facts = (read_json(report, name) for name in (BLESSING_FILE, FACTS_FILE))
    try:
        check(content)
    except jsonschema.ValidationError as error:
        raise UserError(
            f"Another version wrote this report ({error.message[:200]}): read it where it lies."
        ) from error
    # It names a folder here, but was written elsewhere.
    if not _RUN_ID.fullmatch(content["run_id"]):
        raise UserError(f"The report's run id {content['run_id']!r} is none.")
    return place(reports, content["run_id"], content, facts)
