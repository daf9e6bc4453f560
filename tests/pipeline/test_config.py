"""The configuration: what it takes, and how it refuses the rest, in one sentence."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import Config, load_config
from schemas.errors import UserError


def _file(tmp_path, content):
    path = tmp_path / "my.yaml"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_defaults():
    config = load_config(None, [])
    assert config == Config()
    assert (config.source, config.data_dir) == ("movielens-latest", None)
    assert (config.split.kind, config.gates.k) == ("temporal", 10)


def test_a_file_then_options_then_settings(tmp_path):
    path = _file(
        tmp_path,
        """
source: movielens-1m
data_dir: from-file
output_dir: from-file
split: {kind: random, seed: 3}
model:
  dims: 32
""",
    )
    config = load_config(path, ["model.dims=16", "split.seed=4"], data_dir="d", output_dir=None)
    assert (config.source, config.data_dir, config.output_dir) == ("movielens-1m", "d", "from-file")
    assert (config.split.kind, config.split.seed, config.model.dims) == ("random", 4, 16)


def test_an_empty_file_is_the_defaults(tmp_path):
    assert load_config(_file(tmp_path, "# nothing\n"), []) == Config()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("split.kind=random", "random"),
        ("split.seed=7", 7),
        ("training.learning_rate=1e-3", 0.001),
        ("training.epochs=null", None),
        ("training.epochs=2", 2.0),
        ("training.epochs=0.5", 0.5),
        ("validation.drift_stops=true", True),
        ("gates.ks=[5, 10]", [5, 10]),
        ("gates.bounds={rmse: 0.9}", {"rmse": 0.9}),
        ("gates.bounds.rmse=0.9", {"rmse": 0.9}),
        ("beam_args=[--runner=DirectRunner]", ["--runner=DirectRunner"]),
        ("output_dir=a=b", "a=b"),
    ],
)
def test_settings_keep_their_types(setting, value):
    found = load_config(None, [setting]).model_dump()
    for key in setting.partition("=")[0].removesuffix(".rmse").split("."):
        found = found[key]
    assert found == value and type(found) is type(value)


def test_the_last_of_two_settings_holds():
    assert load_config(None, ["split.seed=1", "split.seed=2"]).split.seed == 2


MISTAKES = [
    ("colour=red", "colour"),
    ("split.colour=red", "split.colour"),
    ("model.depth=3", "model.depth"),
    ("split..seed=1", "split"),
    ("split.kind=sometimes", "split.kind"),
    ("split.seed=-1", "split.seed"),
    ("split.seed=soon", "split.seed"),
    ("split.valid=0.99", "split.valid"),
    ("split.kind=predefined", "split.train"),
    ("training.epochs=-0.5", "training.epochs"),
    ("training.epochs=.inf", "training.epochs"),
    ("training.minutes=0", "training.minutes"),
    ("training.patience=0", "training.patience"),
    ("model.dims=1", "model.dims"),
    ("model.ignored=[colour]", "model.ignored"),
    ("gates.k=7", "gates.k"),
    ("gates.ks=10", "gates.ks"),
    ("gates.ks=[0]", "gates.ks"),
    ("gates.bounds.accuracy=1", "accuracy"),
    ("gates.slices=age", "gates.slices"),
    ("gates.slices=[age]", "gates.slices: 'age' is none of history, user, movie"),
    ("gates.crosses=[[age, genre]]", "gates.crosses: 'age' is none of"),
    ("gates.per_slice.age.bias_margin=0", "gates.per_slice.age: 'age' is none of"),
    ("validation.drift_bound=2", "validation.drift_bound"),
    ("validation.drift_stops=perhaps", "validation.drift_stops"),
    ("beam_args=--runner=DirectRunner", "beam_args"),
    ("split=temporal", "split"),
    ("source.name=x", "source"),
    ("data_dir=7", "data_dir"),
    ("split.seed", "key=value"),
    ("=7", "key=value"),
    ("split.seed=[1", "split.seed"),
    ("split.seed=2024-13-45", "split.seed"),
    ("split.seed=2024-01-01", "split.seed"),
    ("split.seed={a: 1}", "split.seed"),
    ("split.seed=!!python/object:os.system 1", "split.seed"),
]


@pytest.mark.parametrize(("setting", "named"), MISTAKES, ids=[setting for setting, _ in MISTAKES])
def test_a_wrong_setting_is_one_sentence_that_names_it(setting, named):
    with pytest.raises(UserError) as caught:
        load_config(None, ["source=movielens-latest", setting])
    message = str(caught.value)
    assert named in message
    assert "\n" not in message and message.endswith((".", "?")) and "Value error" not in message
    assert "Extra inputs" not in message


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("training.epoch", "is it training.epochs?"),
        ("traning.epochs", "traning: there is no such setting; is it training?"),
        ("epochs", "is it training.epochs?"),
        ("Model", "is it model?"),
        ("gates.tolerances", "is it gates.rmse_tolerance?"),
        ("vertex.qqqq", "there are vertex.project, vertex.region"),
        ("qqqq", "there are source, data_dir"),
    ],
)
def test_what_is_no_setting_is_told_which_is_meant(typed, words):
    with pytest.raises(UserError, match="there is no such setting") as caught:
        load_config(None, [f"{typed}=3"])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("split: [unclosed", "not valid YAML (line"),
        ("a: b: c", "not valid YAML (line 1)"),
        ("a: " + 3000 * "[", "not valid YAML: its lists or keys are nested too deep"),
        ("- source", "a list of `key: value` lines"),
        ("movielens-1m", "a list of `key: value` lines"),
        ("split:\n  kidn: random", "split.kidn"),
        ("model:\n  retrieval_weight: 0\n  rating_weight: 0", "retrieval_weight"),
        ("split:\n", "split"),
        ("7: 8", "7"),
        ("split: {seed: 2024-13-45}", "not valid YAML"),
        ("source: \x00", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path, content, words):
    with pytest.raises(UserError) as caught:
        load_config(_file(tmp_path, content), [])
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "my.yaml").write_bytes(b"source: \xff\xfe")
    with pytest.raises(UserError, match="not valid YAML"):
        load_config(str(tmp_path / "my.yaml"), [])


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml: the configuration cannot be read"):
        load_config(str(tmp_path / "none.yaml"), [])
    with pytest.raises(UserError, match="cannot be read"):
        load_config(str(tmp_path), [])


def test_only_the_embedded_source_needs_no_data_dir():
    with pytest.raises(UserError, match="Say where the files of movielens-1m are: --data-dir DIR"):
        load_config(None, [], source="movielens-1m")
    assert load_config(None, ["data_dir=x"], source="movielens-1m").data_dir == "x"


def _without_times(folder):
    source = folder / "mine.yaml"
    source.write_text("ratings: {files: a.csv, columns: {user_id: who, movie_id: what}}")
    return str(source)


def test_the_files_of_a_described_source_are_beside_its_description(tmp_path):
    source = _without_times(tmp_path)
    assert load_config(None, [], source=source).data_dir == str(tmp_path)
    assert load_config(None, [], source=source, data_dir="x").data_dir == "x"


def test_without_times_the_split_is_random_unless_something_else_is_said(tmp_path):
    source = _without_times(tmp_path)
    config = load_config(None, ["split.seed=7"], source=source)
    assert (config.split.kind, config.split.seed) == ("random", 7)
    for said in ("split.kind=temporal", "split.history=before", "training.warm_start=true"):
        assert load_config(None, [said], source=source).split.kind == "temporal"
    assert load_config(None, []).split.kind == "temporal"


@pytest.mark.parametrize("off", ["gates.retrieval=false", "model.retrieval_weight=0"])
def test_a_source_without_ratings_leaves_nothing_but_lists(tmp_path, off):
    source = tmp_path / "views.yaml"
    source.write_text("ratings: {files: v.csv, columns: {user_id: u, movie_id: m}}")
    with pytest.raises(UserError, match=r"has no ratings, so lists are all there is"):
        load_config(None, [off, "data_dir=x"], source=str(source))
    kept = load_config(None, ["gates.rating=false", "data_dir=x"], source=str(source))
    assert kept.gates.off == {"rating": "gates.rating is false"}


def test_one_task_at_least_is_judged():
    with pytest.raises(UserError, match="both false: nothing would be judged"):
        load_config(None, ["gates.retrieval=false", "gates.rating=false"])


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["split.kind=random", "gates.bounds.rmse=0.9", "training.epochs=3", "gates.slices=[genre]"],
        ["split.kind=predefined", "split.train=a", "split.eval=b", "validation.drift_stops=yes"],
    ],
)
def test_a_configuration_survives_json_and_yaml(settings, tmp_path):
    config = load_config(None, settings)
    assert Config.model_validate_json(config.model_dump_json()) == config
    path = _file(tmp_path, yaml.safe_dump(config.model_dump()))
    assert load_config(path, []) == config


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_setting_ends_in_anything_but_a_user_error(key, value):
    for setting in (f"{key}={value}", f"split.{key}={value}", f"gates.ks={value}", key):
        try:
            load_config(None, [setting])
        except UserError as error:
            assert str(error)
