"""Which model a candidate is compared with: the one in service, so never one only blessed."""

from collections.abc import Iterable
from pathlib import Path

import ml_metadata as mlmd
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.types import Artifact, standard_artifacts

from components.tfx.artifacts import saved_model_in
from pipeline.metadata import is_input
from pipeline.served import known_as, newest_first
from schemas.manifest import GRAPH_FILE

PUSHED = "pushed"  # TFX's property of a PushedModel: 1 if it was


class PushedModelStrategy(ResolverStrategy):
    """Resolves the model whose files are the newest whole version of a folder, for local runs.

    Where the folder holds none that the metadata know, it is the model that was pushed last.
    """

    def __init__(self, folder: str) -> None:
        """Takes the folder of versions."""
        self._folder = Path(folder)

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]]:
        """Of all models under each key, at most one."""
        return {key: self._chosen(store, models) for key, models in input_dict.items()}

    def _chosen(self, store: mlmd.MetadataStore, models: list[Artifact]) -> list[Artifact]:
        places = {model.id: saved_model_in(model.uri) for model in models}
        known = {
            key: Path(place)
            for key, place in sorted(places.items(), reverse=True)
            if (Path(place) / GRAPH_FILE).is_file()
        }
        served = (known_as(version, known) for version in newest_first(self._folder))
        found = next((key for key in served if key is not None), None)
        if found is None:
            found = next((key for key in pushed_models(store) if key in known), None)
        return [model for model in models if model.id == found]


def pushed_models(store: mlmd.MetadataStore) -> Iterable[int]:
    """The ids of the models that were pushed, the last one first."""
    kind = standard_artifacts.PushedModel.TYPE_NAME
    pushed = [
        artifact.id
        for artifact in store.get_artifacts_by_type(kind)
        if artifact.custom_properties[PUSHED].int_value == 1
    ]
    for artifact in sorted(pushed, reverse=True):
        (maker, *_) = (event.execution_id for event in store.get_events_by_artifact_ids([artifact]))
        for event in store.get_events_by_execution_ids([maker]):
            if is_input(event, "model"):
                yield event.artifact_id
