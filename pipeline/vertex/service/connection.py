"""The connection to Vertex AI: as whom it is asked, what is repeated, and what refusals mean."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import google.auth.exceptions
import requests
from google.api_core import exceptions, retry
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.protobuf import json_format

from pipeline.vertex_config import VertexConfig
from schemas.errors import RunFailed, UserError

Answer = TypeVar("Answer")
Client = TypeVar("Client")

TIMEOUT = 60.0  # seconds of one request
FIRST_PAUSE, LONGEST_PAUSE, PATIENCE = 1.0, 60.0, 300.0  # seconds, of repeated ones
NO_NETWORK = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    google.auth.exceptions.TransportError,
)
# Nothing was done.
REFUSED = (exceptions.TooManyRequests,)
# The answer is lost, so what was asked may have been done: repeat only what is safe to do twice.
UNSURE = (exceptions.ServerError, *NO_NETWORK)


def connect(kind: Callable[..., Client], config: VertexConfig) -> Client:
    """A client of one of Vertex AI's services, as whoever is logged in.

    Google's own PipelineJob is not used: on its way it makes buckets and stores without asking,
    drops labels, and gives up waiting at the first fault.

    Raises:
      UserError: no project is set, or nobody is logged in.
    """
    config.required("project")
    endpoint = endpoint_of(config)
    # Credentials are never sent in the clear.
    plain = endpoint.startswith("http://")
    anyone = AnonymousCredentials() if plain else None
    with one_sentence(config):
        return kind(
            credentials=anyone,
            transport="rest",
            client_options=ClientOptions(api_endpoint=endpoint),
        )


def endpoint_of(config: VertexConfig) -> str:
    """The address of the service."""
    return config.job.endpoint or f"{config.region}-aiplatform.googleapis.com"


def parent_of(config: VertexConfig) -> str:
    """The resource that everything of the project's region is in."""
    return f"projects/{config.project}/locations/{config.region}"


def repeated(ask: Callable[[], Answer], *errors: type[Exception]) -> Answer:
    """Asks until there is an answer, with growing pauses, while only `errors` come back.

    Raises:
      Exception: the first other error, or the last one when the patience is at its end.
    """
    policy = retry.Retry(
        predicate=retry.if_exception_type(*errors),
        initial=FIRST_PAUSE,
        maximum=LONGEST_PAUSE,
        timeout=PATIENCE,
    )
    try:
        return policy(ask)()
    except exceptions.RetryError as error:
        raise error.cause or error from error


def ask(config: VertexConfig, question: Callable[[], Answer], repeatable: bool = True) -> Answer:
    """The service's answer to a question, which is asked again while the service is away.

    Args:
      config: where the service is.
      question: one request.
      repeatable: whether it does no harm to ask twice; if not, it is asked again only where the
        service refused it for the quota.

    Raises:
      UserError, RunFailed: see `one_sentence`.
    """
    with one_sentence(config):
        return repeated(question, *REFUSED, *(UNSURE if repeatable else ()))


@contextmanager
def one_sentence(config: VertexConfig) -> Iterator[None]:
    """Turns what the service refuses, and what fails on the way to it, into one sentence.

    Raises:
      UserError: for what the user can mend.
      RunFailed: where the service failed, or cannot be reached.
    """
    try:
        yield
    except NO_NETWORK as error:
        raise RunFailed(
            f"Vertex AI cannot be reached, is there a network? {_own_words(error)}"
        ) from error
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise RunFailed(_not_the_service(config)) from error
    except google.auth.exceptions.GoogleAuthError as error:
        raise UserError(
            "Nobody is logged in to Google Cloud: run `gcloud auth application-default login`, or "
            f"set GOOGLE_APPLICATION_CREDENTIALS. {_own_words(error)}"
        ) from error
    except (exceptions.TooManyRequests, exceptions.ServerError) as error:
        raise RunFailed(f"{_failure(error, config)}: {_own_words(error)}") from error
    except exceptions.GoogleAPICallError as error:
        raise UserError(f"{_refusal(error, config)}: {_own_words(error)}") from error


def check_name(config: VertexConfig, name: str, ending: str) -> None:
    """Raises RunFailed unless an answer names what was asked for.

    An answer that is not the service's own can be any JSON; of that Google's client makes an empty
    message.
    """
    if not re.fullmatch(rf"projects/[^/]+/locations/[^/]+/(?:.+/)?{ending}", name):
        raise RunFailed(_not_the_service(config))


def _not_the_service(config: VertexConfig) -> str:
    return (
        f"What answers at {endpoint_of(config)} is not Vertex AI, or its answer broke off: is "
        "there a proxy or a login page in between? See in the console what became of the request."
    )


def _failure(error: exceptions.GoogleAPICallError, config: VertexConfig) -> str:
    if isinstance(error, exceptions.TooManyRequests):
        return f"The quota of {config.project} in {config.region} is used up; wait, or ask for more"
    return "Vertex AI failed; try again later"


def _refusal(error: exceptions.GoogleAPICallError, config: VertexConfig) -> str:
    place = f"{config.project} in {config.region}"
    sentences = {
        401: "Vertex AI does not accept the credentials; log in again",
        403: f"Not allowed on {place}; enable the Vertex AI API there, and get the roles "
        "aiplatform.user and, on the service account, iam.serviceAccountUser",
        404: f"Not found on {place}; correct vertex.project, vertex.region or the name",
        409: "That name is taken; choose another one",
    }
    return sentences.get(error.code or 0, "Vertex AI refuses the request")


def _own_words(error: Any) -> str:
    """The service's own words: one line, one full stop, without the address asked."""
    text = str(getattr(error, "message", "") or error).strip() or type(error).__name__
    if isinstance(error, exceptions.GoogleAPICallError):
        text = text.partition(": ")[2] or text
    return f"{text.splitlines()[0][:300].rstrip('.')}."
