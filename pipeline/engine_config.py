"""The `engine` section: what runs the data nodes, and Beam's options for it."""

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Endpoint = Annotated[str, StringConstraints(pattern=r"^[^\s:/]+:\d{1,5}$")]
Workers = Annotated[str, StringConstraints(pattern=r"^(loopback|[^\s:/]+:\d{1,5}|/\S+)$")]

BOOT = "/opt/apache/beam/boot"  # where Beam's images, and so the project's, have it
# Runners that were tried with this Beam, by how their names begin, and what came of it.
_REFUSED = {
    "dask": "it reports success where outputs are missing or wrong",
    "ray": "it does not work with this version of Beam",
    "pyspark": "it does not work with this version of Beam",
}
# Beam listens to a job for so many seconds and then takes it for failed; by default, for 300.
_LONGEST_JOB = 7 * 86_400


class EngineConfig(BaseModel):
    """The `engine` section: what runs the Beam part of the nodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["local", "prism", "flink", "spark", "dataflow"] = Field(
        "local", description="what runs the data nodes: local (this process), prism, flink, spark "
        "or, on Vertex AI, dataflow",
    )  # fmt: skip
    endpoint: Endpoint | None = Field(
        None,
        description="flink, spark: HOST:PORT of Beam's job server; prism: of a server that runs; "
        "default: one is started",
    )
    workers: Workers | None = Field(
        None,
        description="what runs the workers: loopback (this process), HOST:PORT of a worker pool, "
        f"or the path of Beam's boot program there; default: loopback for prism, else {BOOT}",
    )
    parallelism: int | None = Field(
        None, ge=1, description="flink: how many workers share a step; default: the cluster's"
    )

    @model_validator(mode="after")
    def _takes_what_is_set(self) -> "EngineConfig":
        unused = {
            "local": ("endpoint", "workers", "parallelism"),
            "prism": ("parallelism",),
            "flink": (),
            "spark": ("parallelism",),
            "dataflow": ("endpoint", "workers", "parallelism"),
        }[self.kind]
        for name in unused:
            if getattr(self, name) is not None:
                raise ValueError(f"kind={self.kind} has no {name}: leave it out{_hint(self.kind)}")
        if self.kind in ("flink", "spark") and not self.endpoint:
            raise ValueError(
                f"kind={self.kind} needs the endpoint of Beam's job server, such as "
                "endpoint=localhost:8099"
            )
        return self

    def beam_args(self, prism: str | None = None) -> list[str]:
        """Beam's options for a portable engine; none for the other kinds.

        Args:
          prism: where Prism's program is, if one is to be started.
        """
        if self.kind in ("local", "dataflow"):
            return []
        options = {"runner": "PortableRunner", "job_endpoint": self.endpoint}
        if not self.endpoint:
            options = {"runner": "PrismRunner", "prism_location": prism}
            # Or the process keeps the server that it started, or failed to start, for another job.
            options["experiments"] = "disable_prism_server_singleton"
        options |= _environment(self.workers or ("loopback" if self.kind == "prism" else BOOT))
        if self.kind == "flink":
            # Without it Flink starts workers anew for every stage, and hangs when several do.
            options["environment_cache_millis"] = "60000"
        if self.parallelism:
            options["parallelism"] = str(self.parallelism)
        # Or TFX spends seconds on packing itself for workers that have it already.
        options["sdk_container_image"] = "none"
        options["job_server_timeout"] = str(_LONGEST_JOB)
        return [f"--{name}={value}" for name, value in options.items()]

    def check_beam_args(self, beam_args: Sequence[str]) -> None:
        """Raises ValueError for options that are the engine's own, or name a refused runner."""
        runner = (runner_of(beam_args) or "").rpartition(".")[2]
        for name, why in _REFUSED.items():
            if runner.lower().startswith(name):
                raise ValueError(f"beam_args: the runner {runner} is refused, as {why}")
        own = {_name(arg) for arg in self.beam_args()}
        if self.kind != "local":
            own |= {"runner", "job_endpoint", "prism_location"}
        for name in map(_name, beam_args):
            if name in own - {"job_server_timeout", "experiments"}:
                raise ValueError(
                    f"beam_args: --{name} is set by engine.kind={self.kind}: leave out one of them"
                )


def runner_of(beam_args: Sequence[str]) -> str | None:
    """The runner that Beam's options name, if any."""
    named = None
    for arg, following in zip(beam_args, [*beam_args, ""][1:], strict=True):
        if _name(arg) == "runner":
            named = arg.partition("=")[2] or following
    return named


def _hint(kind: str) -> str:
    return {
        "local": ", or name another kind",
        "spark": "; Spark's own spark.default.parallelism says it",
        "dataflow": "; vertex.dataflow says it",
    }.get(kind, "")


def _environment(workers: str) -> dict[str, str]:
    """Beam's options for how workers are started."""
    if workers == "loopback":
        return {"environment_type": "LOOPBACK"}
    if workers.startswith("/"):
        command = json.dumps({"command": workers})
        return {"environment_type": "PROCESS", "environment_config": command}
    return {"environment_type": "EXTERNAL", "environment_config": workers}


def _name(arg: str) -> str:
    """The name of an option; Beam takes dashes for underscores in some."""
    return arg.partition("=")[0].lstrip("-").replace("-", "_")
