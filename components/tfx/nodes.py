"""What nodes of a project's own are made of in TFX."""

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec, ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.types.standard_component_specs import BASELINE_MODEL_KEY, MODEL_KEY

__all__ = ["BASELINE_MODEL_KEY", "MODEL_KEY", "BaseChannel", "BaseComponent", "BaseExecutor",
           "BeamExecutorSpec", "Channel", "ChannelParameter", "ComponentSpec",
           "ExecutionParameter", "ExecutorClassSpec", "standard_artifacts"]  # fmt: skip
