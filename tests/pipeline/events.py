"""What a node read or wrote, put down in an ML Metadata store by hand."""

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2


def put_event(
    store: mlmd.MetadataStore, execution: int, artifact: int, key: str, kind: str
) -> None:
    """Notes that an execution had an artifact as INPUT or OUTPUT under a key."""
    event = metadata_store_pb2.Event(
        artifact_id=artifact, execution_id=execution,
        type=metadata_store_pb2.Event.Type.Value(kind),
    )  # fmt: skip
    event.path.steps.add().key = key
    store.put_events([event])
