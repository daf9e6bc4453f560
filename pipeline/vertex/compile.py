"""Compiles the pipeline to what Vertex AI and Kubeflow Pipelines run."""

import json
from pathlib import Path

import yaml
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from components.pusher import IN_SERVICE
from pipeline.config import Config, find_data
from pipeline.forgotten import read_forgotten
from pipeline.output import find_output
from pipeline.pipeline import STATISTICS_OF, create_pipeline
from pipeline.vertex.job import set_custom_jobs, set_job
from pipeline.vertex.nodes import (
    check_machines,
    set_beam_args,
    set_resources,
    set_retries,
)
from pipeline.vertex.steps import Spec
from schemas.artifacts import Node
from schemas.files import write_whole
from schemas.source import load_source

RUN_ID = "run_id"
DRIVER = "components.example_gen.driver"
LOOK_UPS = ("model-blessing-resolver", "model-resolver")  # the steps that TFX makes of one look-up
_DEFAULT_IMAGE = "default_image_path"  # the runner's name for the image of all other nodes


def compile_job(config: Config, run_id: str) -> Spec:
    """The PipelineJob that Vertex AI takes, with every parameter's value.

    Args:
      config: everything a user may choose.
      run_id: names the run in its report; empty: the report names itself by its time.

    Raises:
      UserError: a setting is missing, or names a node that there is not.
    """
    job = _compile(config, {RUN_ID: run_id}, resolve=True)
    set_custom_jobs(job, config.vertex)
    set_job(job, config.vertex)
    return job


def compile_kfp(config: Config) -> Spec:
    """The PipelineSpec that open-source Kubeflow Pipelines takes; experimental.

    Its backend runs neither resolvers nor drivers. So there is no comparison with the blessed
    model or the last statistics, and the example gen is never taken from the cache, since nothing
    there would notice new data.

    Raises:
      UserError: as `compile_job`.
    """
    spec: Spec = _compile(config, {}, resolve=False)["pipelineSpec"]
    spec["root"]["dag"]["tasks"][Node.EXAMPLE_GEN]["cachingOptions"] = {}
    return spec


def write_job(config: Config, run_id: str, folder: Path) -> Path:
    """Writes `pipeline.json`; see `compile_job`."""
    content = json.dumps(compile_job(config, run_id), indent=1, sort_keys=True)
    return write_whole(folder / "pipeline.json", content)


def write_kfp(config: Config, folder: Path) -> Path:
    """Writes `kubeflow.yaml`; see `compile_kfp`."""
    return write_whole(folder / "kubeflow.yaml", yaml.safe_dump(compile_kfp(config)))


def _compile(config: Config, parameters: dict[str, str], resolve: bool) -> Spec:
    vertex = config.vertex
    root, image = vertex.required("pipeline_root", "image")
    graph = _graph(config, root, resolve)
    set_beam_args(graph, config, root, image)
    check_machines(vertex)
    images = {name: vertex.gpu_image or image for name, node in vertex.nodes.items() if node.gpu}
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(
            default_image={_DEFAULT_IMAGE: image, **images}, use_pipeline_spec_2_1=True
        )
    )
    job: Spec = runner.run(graph, parameter_values=parameters, write_out=False)
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"]
    set_resources(executors, vertex)
    set_retries(job["pipelineSpec"]["root"]["dag"]["tasks"], executors, vertex)
    _set_driver(executors)
    if resolve:
        _look_up_ratings_only(executors)
        _look_up_pushed_only(job["pipelineSpec"])
    return job


def _graph(config: Config, root: str, resolve: bool) -> Pipeline:
    """The graph with the cloud's folders, and with the list of the forgotten that lies here."""
    return create_pipeline(
        config,
        load_source(config.source),
        find_data(config),
        pipeline_name=config.vertex.pipeline_name,
        pipeline_root=root,
        serving_dir=f"{root}/serving_model",
        checkpoints=f"{root}/checkpoints",
        run_id=RuntimeParameter(name=RUN_ID, ptype=str),
        resolve=resolve,
        forgotten=read_forgotten(find_output(config.output_dir)),
    )


def _set_driver(executors: Spec) -> None:
    """Lets the example gen look up its window of spans; TFX writes its own driver's name there."""
    container = executors[f"{Node.EXAMPLE_GEN}_executor"]["container"]
    container["lifecycle"]["preCacheCheck"]["command"] = ["python", "-m", DRIVER]


def _look_up_ratings_only(executors: Spec) -> None:
    """Keeps the catalogue's statistics from being taken for the ratings'.

    TFX leaves out of the query which node made the statistics.
    """
    query = executors["LastStatistics_executor"]["resolver"]["outputArtifactQueries"]
    query["statistics"]["filter"] += f' AND metadata.{STATISTICS_OF}.string_value="ratings"'


def _look_up_pushed_only(spec: Spec) -> None:
    """Has the model in service looked up: the last one pushed, which may not be the last blessed.

    TFX looks for a blessing and then for the model that it names; a pushed model names it, too.
    """
    executors, components = spec["deploymentSpec"]["executors"], spec["components"]
    blessing, model = (f"{Node.BLESSED_MODEL}-{part}" for part in LOOK_UPS)
    pushed = components[Node.PUSHER]["outputDefinitions"]["artifacts"]["pushed_model"]
    query = executors[f"{blessing}_executor"]["resolver"]["outputArtifactQueries"]["model_blessing"]
    kind = standard_artifacts.PushedModel.TYPE_NAME
    query["filter"] = (
        f'schema_title="tfx.{kind}" AND state=LIVE AND metadata.{IN_SERVICE}.number_value=1'
    )
    found = components[blessing]["outputDefinitions"]["artifacts"]["model_blessing"]
    given = components[model]["inputDefinitions"]["artifacts"]["input"]
    for definition in (found, given):
        definition["artifactType"] = dict(pushed["artifactType"])
