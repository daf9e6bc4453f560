"""What TFX hands to a Trainer's and a Tuner's function, and takes from the latter."""

from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

__all__ = ["FnArgs", "TunerFnResult"]
