"""The compiled pipeline, once for all tests."""

from typing import Any

import pytest

from pipeline.config import Config, load_config
from pipeline.vertex.compile import compile_job, compile_kfp

RUN_ID = "20260101-000000"
SETTINGS = (
    "data_dir=gs://bucket/data",
    "vertex.project=project",
    "vertex.pipeline_root=gs://bucket/greenlight/",
    "vertex.image=registry/greenlight/cpu:1",
    "vertex.job.service_account=runner@project.iam.gserviceaccount.com",
    "vertex.gpu_image=registry/greenlight/gpu:1",
    "vertex.nodes.MovieTrainer={cpu: 8, memory_gb: 32, gpu: NVIDIA_TESLA_T4}",
    "vertex.nodes.RatingExampleGen={memory_gb: 8}",
    "vertex.nodes.Evaluator={beam_args: [--direct_num_workers=2]}",
    "vertex.dataflow={nodes: [Transform], max_workers: 9, args: [--no_use_public_ips]}",
)


@pytest.fixture(scope="session")
def vertex_config() -> Config:
    return load_config(None, SETTINGS)


@pytest.fixture(scope="session")
def vertex_job(vertex_config: Config) -> dict[str, Any]:
    """Not to be changed: copy it first."""
    return compile_job(vertex_config, RUN_ID)


@pytest.fixture(scope="session")
def kfp_spec(vertex_config: Config) -> dict[str, Any]:
    """Not to be changed: copy it first."""
    return compile_kfp(vertex_config)
