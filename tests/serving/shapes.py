"""What an exported model takes, answers and holds, read out of its files as any caller could."""

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def signatures(folder: Path) -> dict[str, Any]:
    """The inputs with their defaults, and the outputs, of each signature."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    return {
        name: {
            "inputs": {
                key: _shown(tensor) + _default(declared.defaults.get(key))
                for key, tensor in declared.inputs.items()
            },
            "outputs": {key: _shown(tensor) for key, tensor in declared.outputs.items()},
        }
        for name, declared in saved.meta_graphs[0].signature_def.items()
        if not name.startswith("__")
    }


def variables(folder: Path) -> dict[str, str]:
    """The public variables by their place in the module, and the weights that are kept, by name."""
    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    shapes = reader.get_variable_to_shape_map()
    kept = reader.get_tensor(f"keepsake/names{_VALUE}").tolist()
    names = {f"keepsake/weights/{i}": f"keepsake/{kept[i].decode()}" for i in range(len(kept))}
    dtypes = reader.get_variable_to_dtype_map()
    places = {key.removesuffix(_VALUE): key for key in shapes if key.endswith(_VALUE)}
    return {
        names.get(place, place): f"{dtypes[key].name} {shapes[key]}"
        for place, key in places.items()
        if "_" not in (part[0] for part in place.split("/"))
    }


def _shown(tensor: Any) -> str:
    shape = tensor.tensor_shape
    sizes = ", ".join("?" if dim.size < 0 else str(dim.size) for dim in shape.dim)
    rank = "of any rank" if shape.unknown_rank else f"[{sizes}]"
    return f"{tf.as_dtype(tensor.dtype).name} {rank}"


def _default(value: Any) -> str:
    return "" if value is None else f", {tf.make_ndarray(value).tolist()} if left out"
