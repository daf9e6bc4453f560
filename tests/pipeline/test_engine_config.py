"""The short form of an engine: what it stands for, and what it refuses."""

import sys
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.config import load_config
from pipeline.engine.options import beam_options, find_prism, is_elsewhere
from schemas.errors import UserError

FLINK = {
    "runner": "PortableRunner",
    "job_endpoint": "jobs:8099",
    "environment_type": "PROCESS",
    "environment_config": '{"command": "/opt/apache/beam/boot"}',
    "environment_cache_millis": "60000",
    "parallelism": 8,
    "sdk_container_image": "none",
}
POOL = {"environment_type": "EXTERNAL", "environment_config": "localhost:50000"}
BOOT = {"environment_type": "PROCESS", "environment_config": '{"command": "/usr/bin/boot"}'}
LOOPBACK = {"environment_type": "LOOPBACK", "runner": "PortableRunner"}


@pytest.mark.parametrize(
    ("engine", "meant"),
    [
        ("{kind: flink, endpoint: 'jobs:8099', parallelism: 8}", FLINK),
        ("{kind: flink, endpoint: 'jobs:8099', workers: 'localhost:50000'}", POOL),
        ("{kind: spark, endpoint: 'jobs:8099', workers: /usr/bin/boot}", BOOT),
        ("{kind: prism, endpoint: 'jobs:8073'}", {**LOOPBACK, "job_endpoint": "jobs:8073"}),
        ("{kind: prism, endpoint: 'jobs:8073', workers: 'localhost:50000'}", POOL),
    ],
)
def test_it_stands_for_options_as_beam_reads_them(engine: str, meant: dict[str, object]) -> None:
    config = load_config(None, [f"engine={engine}", "beam_args=[--max_parallelism=64]"])
    beam_args = beam_options(config)
    read = PipelineOptions(beam_args).get_all_options()
    assert {name: read[name] for name in meant} == meant
    assert read["max_parallelism"] == 64
    assert read["job_server_timeout"] > 86_400  # by default jobs are taken for failed after 300 s
    assert PipelineOptions(beam_args).get_all_options(drop_default=True).keys() >= meant.keys()
    assert is_elsewhere(config, beam_args)


def test_nothing_said_is_this_process() -> None:
    for settings in ([], ["engine.kind=local"], ["beam_args=[--direct_num_workers=2]"]):
        config = load_config(None, settings)
        assert not is_elsewhere(config, beam_options(config))
    assert beam_options(load_config(None, [])) == [
        "--runner=FnApiRunner",
        "--sdk_container_image=none",
        "--no_pipeline_type_check",
    ]


def test_prism_is_started_where_no_server_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(None, ["engine.kind=prism"])
    program = tmp_path / "prism"
    program.write_text("#!/bin/sh\n")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"go install .*/prism@v2\.\d+\.\d+` makes it"):
        beam_options(config)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="needs Beam's program"):
        find_prism()  # it is no program yet
    program.chmod(0o755)
    assert {"--runner=PrismRunner", f"--prism_location={program}"} < set(beam_options(config))


REFUSED = [
    ("engine={endpoint: 'a:1'}", "kind=local has no endpoint: leave it out, or name another kind"),
    ("engine.kind=flink", "kind=flink needs the endpoint of Beam's job server"),
    ("engine={kind: spark, endpoint: 'a:1', parallelism: 2}", "spark.default.parallelism says it"),
    ("engine={kind: dataflow, parallelism: 2}", "vertex.dataflow says it"),
    ("engine={kind: flink, endpoint: 'http://a:1'}", "engine.endpoint"),
    ("engine={kind: prism, workers: somewhere}", "engine.workers"),
    ("engine.kind=dask", "engine.kind"),
    ("beam_args=[--runner=DaskRunner]", "outputs are missing or wrong"),
    ("beam_args=[--runner, apache_beam.runners.dask.dask_runner.DaskRunner]", "DaskRunner is ref"),
    ("beam_args=[--runner=ray_beam.portability.RayFnApiRunner]", "does not work with this version"),
    ("beam_args=[--runner=beam_pyspark_runner.PySparkRunner]", "PySparkRunner is refused"),
]


@pytest.mark.parametrize(("setting", "words"), REFUSED)
def test_what_cannot_be_is_one_sentence(setting: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        load_config(None, [setting])
    message = str(caught.value)
    assert words in message and message.endswith(".") and "\n" not in message


@pytest.mark.parametrize(
    "arg", ["--runner=DirectRunner", "--job-endpoint=a:1", "--environment_type=DOCKER"]
)
def test_what_the_engine_sets_is_not_set_twice(arg: str) -> None:
    engine = "engine={kind: flink, endpoint: 'a:1'}"
    with pytest.raises(UserError, match=r"is set by engine\.kind=flink: leave out one of them"):
        load_config(None, [engine, f"beam_args=['{arg}']"])
    load_config(None, [engine, "beam_args=[--job_server_timeout=9, --flink_version=1.20]"])


@pytest.mark.parametrize("setting", ["engine.kind=dataflow", "beam_args=[--runner=DataflowRunner]"])
def test_dataflow_sees_nothing_of_this_machine(setting: str) -> None:
    config = load_config(None, [setting])
    with pytest.raises(UserError, match="`greenlight vertex` submits"):
        is_elsewhere(config, beam_options(config))
