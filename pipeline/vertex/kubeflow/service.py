"""Kubeflow Pipelines' REST API, v2beta1: as whom it is asked, and which answers are believed.

Kubeflow's own client follows redirects to login pages, takes any text for an answer, and reads and
writes a file in the home directory: hence this one.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from schemas.errors import RunFailed, UserError

TIMEOUT = 60.0  # seconds of one request
Answer = dict[str, Any]


class Unavailable(RunFailed):
    """The service cannot be reached, or fails: a harmless question may be asked again."""


@dataclass(frozen=True)
class Access:
    """Where Kubeflow Pipelines is, and as whom it is asked; what is secret is never shown."""

    host: str
    token: str | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)
    namespace: str | None = None

    def headers(self) -> dict[str, str]:
        """What every request carries.

        Raises:
          UserError: a secret that no header can hold.
        """
        secrets = {"--token": self.token, "--cookie": self.cookie}
        for option, secret in secrets.items():
            spelled = (secret or "").strip()
            if not (spelled.isascii() and spelled.isprintable()):
                raise UserError(f"{option} holds letters that cannot be sent: give it anew.")
        headers = {"Accept": "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie.strip()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token.strip()}"
        return headers


class Kubeflow:
    """Asks one Kubeflow Pipelines."""

    def __init__(self, access: Access) -> None:
        """Prepares the connection; asks nothing.

        Raises:
          UserError: the address is none, or a secret cannot be sent.
        """
        parts = urlsplit(access.host)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"--host {access.host}: write it as http://NAME or https://NAME.")
        self.host, self.namespace = access.host.rstrip("/"), access.namespace
        self._headers = access.headers()
        self._session = requests.Session()
        # Else a .netrc would take the token's place.
        self._session.auth = self._authorized

    def _authorized(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        """The JSON object that the API answers with.

        Raises:
          UserError: it refuses, or what answers is not the API, such as a login page.
          Unavailable: it fails or cannot be reached.
          RunFailed: its answer broke off.
        """
        url = f"{self.host}/apis/v2beta1/{path}"
        try:
            answer = self._session.request(
                method, url, timeout=TIMEOUT, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise Unavailable(f"Kubeflow Pipelines cannot be reached at {self.host}.") from error
        self._check_status(answer)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in ("application/json", ""):
            raise UserError(
                f"{self.host} answers with a page ({kind}) in place of Kubeflow Pipelines' API: is "
                "the address right, or does it want a login (--token, --cookie)?"
            )
        return self._content(answer)

    def _check_status(self, answer: requests.Response) -> None:
        status = answer.status_code
        start = f"Kubeflow Pipelines at {self.host} answers {status} {answer.reason}"
        if status == 429 or status >= 500:
            raise Unavailable(f"{start}: try again later.")
        if 300 <= status < 400 or status in (401, 403):
            raise UserError(
                f"{start}: it wants a login or your rights do not suffice; give --token or "
                "--cookie, and --namespace where several people share it."
            )
        if not 200 <= status < 300:
            raise UserError(f"{start}: is the address right?{_reason(answer)}")

    def _content(self, answer: requests.Response) -> Answer:
        try:
            content = answer.json()
        except requests.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            raise RunFailed(
                f"The answer of {self.host} is broken: look at its page whether the run is there "
                "before you try again."
            )
        return content

    def text(self, answer: Answer, key: str) -> str:
        """A field of an answer that has to be there.

        Raises:
          RunFailed: it is not.
        """
        value = answer.get(key)
        if not isinstance(value, str) or not value:
            raise RunFailed(
                f"{self.host} answers without a {key}: this is not Kubeflow Pipelines' API v2beta1."
            )
        return value


def _reason(answer: requests.Response) -> str:
    """The API's own words, where it has any."""
    try:
        words = answer.json()["message"]
    except (requests.JSONDecodeError, KeyError, TypeError):
        return ""
    return f" It says: {str(words).splitlines()[0][:200].rstrip('.')}." if words else ""
