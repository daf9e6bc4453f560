"""The whole graph."""

from typing import Any

import tensorflow_data_validation as tfdv
from tfx.components.pusher.component import Pusher
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.transform.component import Transform
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2, transform_pb2
from tfx.types import Channel, standard_artifacts

from components.evaluation.component import MovieEvaluator
from components.evaluation.eval_config import eval_config
from components.example_gen.component import RatingExampleGen
from components.pusher import Executor as PushExecutor
from components.report.component import BlessingReport
from components.trainer.component import MovieTrainer
from components.trainer.settings import TrainerSettings
from components.tuner.component import MovieTuner
from components.tuner.settings import TunerSettings
from components.validation.component import CuratedSchema, DataValidator
from components.validation.curated import counted_features
from pipeline.baseline import PushedModelStrategy
from pipeline.config import Config
from pipeline.engine.options import beam_options
from schemas.artifacts import CATALOGUE, Node
from schemas.forgotten import NOBODY, Forgotten
from schemas.source import Source

PREPROCESSING_FN = "components.transform.preprocessing_fn"
STATISTICS_OF = "statistics_of"  # property of the ratings' statistics that were accepted


def create_pipeline(
    config: Config,
    source: Source,
    data_dir: str,
    pipeline_name: str,
    pipeline_root: str,
    serving_dir: str,
    checkpoints: str,
    run_id: Any,
    metadata: Any = None,
    resolve: bool = True,
    forgotten: Forgotten = NOBODY,
) -> Pipeline:
    """From rating files to a blessed, pushed model.

    Args:
      config: everything a user may choose.
      source: what the files in `data_dir` hold.
      data_dir: local or remote.
      pipeline_name: of the pipeline; runs of one name share cache and blessed model.
      pipeline_root: where artifacts are written.
      serving_dir: where a blessed model is pushed to, as `<version>/`; what it holds is what a
        candidate is compared with.
      checkpoints: where an interrupted training goes on from.
      run_id: names the run; a string or a runtime parameter.
      metadata: connection of ML Metadata, for local runs.
      resolve: whether the last statistics and the blessed model are looked up and compared with.
      forgotten: whose ratings are left out.
    """
    config = config.of(source)
    # What was accepted last must be looked up before this run's own statistics are.
    last_statistics = Resolver(
        strategy_class=LatestArtifactStrategy,
        statistics=Channel(
            type=standard_artifacts.ExampleStatistics,
            producer_component_id=Node.DATA_VALIDATOR,
        ),
    ).with_id(Node.LAST_STATISTICS)
    example_gen = RatingExampleGen(data_dir, source, config.split, config.spans.window, forgotten)
    schemas = CuratedSchema(source, config.validation.drift_bound)
    statistics_gen = StatisticsGen(
        examples=example_gen.outputs["examples"],
        schema=schemas.outputs["ratings"],
        stats_options=tfdv.StatsOptions(feature_allowlist=counted_features(source)),
    )
    catalogue_statistics = StatisticsGen(
        examples=example_gen.outputs[CATALOGUE], schema=schemas.outputs["catalogue"]
    ).with_id(Node.CATALOGUE_STATISTICS)
    validator = DataValidator(
        ratings_statistics=statistics_gen.outputs["statistics"],
        catalogue_statistics=catalogue_statistics.outputs["statistics"],
        ratings_schema=schemas.outputs["ratings"],
        catalogue_schema=schemas.outputs[CATALOGUE],
        previous_ratings_statistics=last_statistics.outputs["statistics"] if resolve else None,
        drift_stops=config.validation.drift_stops,
    )
    # Vertex AI looks artifacts up by their properties alone, not by the node that made them.
    validator.outputs["accepted"].additional_custom_properties[STATISTICS_OF] = "ratings"
    transform = Transform(
        examples=example_gen.outputs["examples"],
        schema=schemas.outputs["ratings"],
        preprocessing_fn=PREPROCESSING_FN,
        custom_config={"features": source.features.model_dump(mode="json")},
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=[]),
        materialize=False,
        disable_analyzer_cache=True,  # nothing reads it: every run analyses all of train
        disable_statistics=True,
    )
    transform.add_upstream_node(validator)
    blessed_model = _model_in_service(serving_dir, local=metadata is not None)
    warm = resolve and config.training.warm_start
    settings = trainer_settings(config, source, checkpoints)
    tuner = None
    if config.tuning.enabled:
        tuner = MovieTuner(
            examples=example_gen.outputs["examples"],
            catalogue=example_gen.outputs[CATALOGUE],
            transform_graph=transform.outputs["transform_graph"],
            settings=TunerSettings(**dict(settings), tuning=config.tuning),
        )
    trainer = MovieTrainer(
        examples=example_gen.outputs["examples"],
        catalogue=example_gen.outputs[CATALOGUE],
        transform_graph=transform.outputs["transform_graph"],
        schema=schemas.outputs["ratings"],
        settings=settings,
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        base_model=blessed_model.outputs["model"] if warm else None,
    )
    evaluator = MovieEvaluator(
        examples=example_gen.outputs["examples"],
        catalogue=example_gen.outputs[CATALOGUE],
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        baseline_model=blessed_model.outputs["model"] if resolve else None,
        eval_config=eval_config(config.gates, config.training.seed, source.scale),
        valid_rows=config.training.valid_rows,
    ).with_id(Node.EVALUATOR)
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=serving_dir)
        ),
        custom_executor_spec=ExecutorClassSpec(PushExecutor),
    )
    report = BlessingReport(
        examples=example_gen.outputs["examples"],
        catalogue=example_gen.outputs[CATALOGUE],
        anomalies=validator.outputs["anomalies"],
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        blessing=evaluator.outputs["blessing"],
        run_id=run_id,
        config=config.model_dump_json(),
        scale=source.scale,
        item=source.items,
    )
    lookups = [last_statistics, blessed_model] if resolve else []
    return Pipeline(
        pipeline_name=pipeline_name,
        pipeline_root=pipeline_root,
        components=[
            *lookups,
            example_gen,
            schemas,
            statistics_gen,
            catalogue_statistics,
            validator,
            transform,
            *([tuner] if tuner else []),
            trainer,
            evaluator,
            pusher,
            report,
        ],
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=beam_options(config),
    )


def _model_in_service(serving_dir: str, local: bool) -> Resolver:
    """The look-up of the blessed model that was pushed last.

    Services know TFX's look-up of what was blessed, and no other: compiling a job changes its query
    to what was pushed.
    """
    if local:
        look_up = Resolver(
            strategy_class=PushedModelStrategy,
            config={"folder": serving_dir},
            model=Channel(type=standard_artifacts.Model),
        )
    else:
        look_up = Resolver(
            strategy_class=LatestBlessedModelStrategy,
            model=Channel(type=standard_artifacts.Model),
            model_blessing=Channel(type=standard_artifacts.ModelBlessing),
        )
    return look_up.with_id(Node.BLESSED_MODEL)


def trainer_settings(config: Config, source: Source, checkpoints: str) -> TrainerSettings:
    """The Trainer's settings, by the configuration and its source."""
    return TrainerSettings(
        model=config.model,
        training=config.training,
        split=config.split,
        scale=source.scale,
        features=source.features,
        item=source.items,
        labels=source.labels,
        checkpoints=checkpoints,
    )
