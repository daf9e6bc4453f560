"""Starts a run on Kubeflow Pipelines and follows it to its real end."""

import json
import threading
from collections.abc import Callable
from typing import Any

from kfp_server_api.models.v2beta1_runtime_state import V2beta1RuntimeState

from pipeline.vertex.kubeflow.service import Answer, Kubeflow, Unavailable
from pipeline.vertex.service.connection import repeated
from pipeline.vertex.steps import Spec
from schemas.errors import RunFailed

SUCCEEDED = V2beta1RuntimeState.SUCCEEDED
FAILED = (
    V2beta1RuntimeState.FAILED,
    V2beta1RuntimeState.CANCELED,
    V2beta1RuntimeState.SKIPPED,
)


def start(service: Kubeflow, spec: Spec, name: str, experiment: str) -> str:
    """Starts a run of a compiled pipeline; returns the id that the service gave it.

    Kubeflow names runs itself, so nothing is asked twice.

    Raises:
      UserError, RunFailed: see `Kubeflow.ask`.
    """
    run = service.ask(
        "POST",
        "runs",
        json={
            "display_name": name,
            "experiment_id": _experiment(service, experiment),
            "pipeline_spec": spec,
            "runtime_config": {"parameters": {"run_id": name}},
        },
    )
    return service.text(run, "run_id")


def _experiment(service: Kubeflow, name: str) -> str:
    """The id of the experiment of that name, which is made if there is none."""
    own = {"namespace": service.namespace} if service.namespace else {}
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    query = {"filter": json.dumps({"predicates": [predicate]}), **own}
    listed = service.ask("GET", "experiments", params=query).get("experiments") or []
    named = (one for one in listed if isinstance(one, dict) and one.get("display_name") == name)
    made = next(named, None)
    if made is None:
        made = service.ask("POST", "experiments", json={"display_name": name, **own})
    return service.text(made, "experiment_id")


def read_state(service: Kubeflow, run_id: str) -> tuple[str, Answer]:
    """The run's state as the service tells it, and all of its answer.

    Raises:
      UserError, RunFailed: see `Kubeflow.ask`.
      RunFailed: it tells of another run, or of a state that there is not.
    """
    run = service.ask("GET", f"runs/{run_id}")
    if service.text(run, "run_id") != run_id:
        raise RunFailed(f"{service.host} was asked for the run {run_id} and tells of another one.")
    # A run that no one has looked at yet has none.
    state = run.get("state") or V2beta1RuntimeState.RUNTIME_STATE_UNSPECIFIED
    if state not in V2beta1RuntimeState.allowable_values:
        raise RunFailed(f"{service.host} tells of a state that there is not: {str(state)[:50]}.")
    return state, run


def follow(service: Kubeflow, run_id: str, pause: float, show: Callable[[str], Any]) -> None:
    """Follows a run to its end; a service that is away for less than minutes is outlasted.

    Args:
      service: where it runs.
      run_id: see `start`.
      pause: seconds between questions.
      show: takes each new state.

    Raises:
      UserError, RunFailed: see `read_state`; the run did not succeed.
    """
    clock, shown = threading.Event(), ""
    while True:
        state, run = repeated(lambda: read_state(service, run_id), Unavailable)
        if state != shown:
            show(state.lower().replace("_", " "))
        shown = state
        if state == SUCCEEDED:
            return
        check_going(service, state, run)
        clock.wait(pause)


def check_going(service: Kubeflow, state: str, run: Answer) -> None:
    """Raises RunFailed if the run is over and did not succeed."""
    if state not in FAILED:
        return
    error = run.get("error")
    words = str(error.get("message") or "").strip() if isinstance(error, dict) else ""
    why = words.splitlines()[0][:300].rstrip(".") if words else "the service does not say why"
    page = page_of(service, run["run_id"])
    raise RunFailed(f"The run {state.lower()}: {why}. See {page}")


def page_of(service: Kubeflow, run_id: str) -> str:
    """The address of a run's page."""
    return f"{service.host}/#/runs/details/{run_id}"
