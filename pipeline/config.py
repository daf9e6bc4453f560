"""The configuration: typed, read from a YAML file, overridden by dotted settings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from components.evaluation.gates import GatesConfig
from components.example_gen.config import SplitConfig
from components.model.config import ModelConfig, TrainingConfig
from components.peers.config import PeersConfig
from components.tuner.config import TuningConfig
from data import EMBEDDED
from pipeline.engine_config import EngineConfig
from pipeline.setting_names import meant
from pipeline.vertex_config import VertexConfig
from schemas.errors import UserError
from schemas.source import Source, load_source
from schemas.source_yaml import explained

EMBEDDED_SOURCE = "movielens-latest"


class ValidationConfig(BaseModel):
    """The `validation` section: how the data is compared with the last accepted data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drift_bound: float = Field(
        0.1,
        ge=0,
        le=1,
        description="distance from the last accepted statistics beyond which a feature has drifted",
    )
    drift_stops: bool = Field(
        False, description="whether drift stops the run; default: it is only reported"
    )


class ReportConfig(BaseModel):
    """The `report` section: what a report may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    users: bool = Field(
        False, description="whether reports name the users that they show, and quote bad rows"
    )
    peers: PeersConfig = PeersConfig()


class SpansConfig(BaseModel):
    """The `spans` section: which deliveries are read, if file patterns name them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window: int = Field(1, ge=1, description="number of newest spans that are read together")


class Config(BaseModel):
    """All settings of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(EMBEDDED_SOURCE, description="name of a source, or path of its YAML file")
    data_dir: str | None = Field(
        None,
        description="folder of the source's files; default: that of your source's YAML file, or "
        "the embedded data",
    )
    output_dir: str = Field("runs/default", description="folder that everything is written to")
    spans: SpansConfig = SpansConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    tuning: TuningConfig = TuningConfig()
    gates: GatesConfig = GatesConfig()
    validation: ValidationConfig = ValidationConfig()
    report: ReportConfig = ReportConfig()
    engine: EngineConfig = EngineConfig()
    beam_args: list[str] = Field(
        [], description="further options for Apache Beam; default: it runs in this process"
    )
    vertex: VertexConfig = VertexConfig()

    @model_validator(mode="after")
    def _learns_nothing_held_out(self) -> "Config":
        if self.training.warm_start and self.split.kind != "temporal":
            raise ValueError(
                "training.warm_start needs split.kind=temporal: only by time is it sure that the "
                "blessed model never learned what now judges"
            )
        return self

    @model_validator(mode="after")
    def _has_one_engine(self) -> "Config":
        self.engine.check_beam_args(self.beam_args)
        return self

    def of(self, source: Source) -> "Config":
        """The same with all that follows from the source: the slices are named.

        Raises:
          ValueError: a slice is named that there is not, or a gate on one that is not measured.
        """
        gates = self.gates.of_users([*source.features.users, *source.features.events])
        return self.model_copy(update={"gates": gates})


def load_config(path: str | None, settings: Sequence[str], **given: str | None) -> Config:
    """Reads a configuration file and overrides its settings.

    Args:
      path: a YAML file; None for the defaults.
      settings: `dotted.key=value`, with values in YAML.
      **given: further top-level keys; those that are None are ignored.

    Raises:
      UserError: a file that cannot be read, a setting without `=`, an unknown key or source, or a
        wrong value.
    """
    content = _read(path) if path else {}
    content |= {key: value for key, value in given.items() if value is not None}
    for setting in settings:
        _set_dotted(content, setting)
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise UserError(_sentence(error)) from error
    source = load_source(config.source)
    _check_features(config, source)
    if not (source.has_ratings or (config.gates.retrieval and config.model.retrieval_weight)):
        raise UserError(
            f"{config.source} has no ratings, so lists are all there is to learn and to judge: "
            "leave gates.retrieval and model.retrieval_weight on."
        )
    return _fitted(config, source)


def _fitted(config: Config, source: Source) -> Config:
    """The configuration with what follows from the source where nothing is said.

    The files of a source with a YAML file of its own are beside that. Without times, ratings can
    only be split at random.
    """
    chosen: dict[str, Any] = {}
    if config.data_dir is None and config.source != EMBEDDED_SOURCE:
        if not config.source.endswith((".yaml", ".yml")):
            raise UserError(f"Say where the files of {config.source} are: --data-dir DIR.")
        chosen["data_dir"] = str(Path(config.source).parent)
    kind_is_open = "kind" not in config.split.model_fields_set and not config.training.warm_start
    if not source.has_timestamps and kind_is_open and config.split.history != "before":
        chosen["split"] = config.split.model_copy(update={"kind": "random"})
    return config.model_copy(update=chosen)


def _sentence(error: ValidationError) -> str:
    """The first of a configuration's mistakes."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        reason = meant(field, Config)
    sentence = f"Configuration: {field}: {reason}" if field else reason
    return sentence if sentence.endswith("?") else f"{sentence}."


def _check_features(config: Config, source: Source) -> None:
    """Raises UserError where the configuration names a feature that the source lacks."""
    known = [*source.features.read]
    for name in config.model.ignored:
        if name not in known:
            raise UserError(
                f"Configuration: model.ignored: {name} is no feature of {config.source}: name any "
                f"of {', '.join(known)}."
            )
    try:
        config.of(source)
    except ValueError as error:
        raise UserError(f"Configuration: gates: {error}.") from error


def find_data(config: Config) -> str:
    """The data directory: the configured one, or the embedded data set's.

    Raises:
      UserError: there is no such folder.
    """
    if config.data_dir is None:
        return str(EMBEDDED)
    if "://" in config.data_dir:
        return config.data_dir
    if not config.data_dir:
        raise UserError("The data directory has no name: give one, or leave --data-dir out.")
    try:
        path = Path(config.data_dir).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
        raise UserError(f"The data directory {config.data_dir!r} cannot be: {error}.") from error
    if not path.is_dir():
        raise UserError(f"The data directory {config.data_dir} does not exist.")
    return str(path)


def _read(path: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: the configuration cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: this is not valid YAML{explained(error)}.") from error
    if not isinstance(content, dict | None):
        raise UserError(f"{path}: a configuration is a list of `key: value` lines.")
    return content or {}


def _set_dotted(content: dict[str, Any], setting: str) -> None:
    dotted, equals, text = setting.partition("=")
    if not equals or not dotted:
        raise UserError(f"--set {setting}: write it as key=value, such as split.kind=random.")
    *parents, key = dotted.split(".")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(
            f"--set {setting[:200]}: {text[:200]!r} cannot be read as a value."
        ) from error
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise UserError(f"--set {setting}: {parent} holds no keys of its own.")
    content[key] = value
