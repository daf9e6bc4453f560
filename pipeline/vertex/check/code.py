"""Whether containers can import the classes and functions that a job names."""

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

from pipeline.vertex.steps import Spec, container_of

_FUNCTIONS = ("preprocessing_fn", "run_fn", "tuner_fn", "trainer_fn", "stats_options_updater_fn")
PROJECT = "greenlight"
_FIRST_PARTY = "tfx."  # TFX finds its own artifact types by a table


def code_findings(spec: Spec) -> list[str]:
    """A sentence for each executor, function or artifact type that no installed package holds."""
    named = dict.fromkeys((*executors(spec), *functions(spec), *artifact_types(spec)))
    faults = [fault for user, path in named if (fault := _fault(user, path))]
    return [*faults, *_module_files(spec)]


def executors(spec: Spec) -> Iterator[tuple[str, str]]:
    """Each step with the path of its executor's class."""
    for label, executor in spec["deploymentSpec"]["executors"].items():
        args = container_of(executor).get("args", [])
        if "--executor_class_path" in args:
            path = args[args.index("--executor_class_path") + 1]
            yield label.removesuffix("_executor"), path


def functions(spec: Spec) -> Iterator[tuple[str, str]]:
    """Each step with the paths of the functions and modules that it is told."""
    for name, task in spec["root"]["dag"]["tasks"].items():
        for key, value in _constants(task):
            if key in _FUNCTIONS or key == "module_path":
                yield name, value


def artifact_types(spec: Spec) -> Iterator[tuple[str, str]]:
    """Each step with the paths of the artifact types of the project's own that it makes."""
    for name, component in spec["components"].items():
        made = component.get("outputDefinitions", {}).get("artifacts", {})
        for output in made.values():
            title = yaml.safe_load(output["artifactType"]["instanceSchema"])["title"]
            if not title.startswith(_FIRST_PARTY):
                yield name, title


def _constants(task: Spec) -> Iterator[tuple[str, str]]:
    for key, source in task.get("inputs", {}).get("parameters", {}).items():
        value = source.get("runtimeValue", {}).get("constant")
        if isinstance(value, str) and value:
            yield key, value


def _module_files(spec: Spec) -> Iterator[str]:
    for name, task in spec["root"]["dag"]["tasks"].items():
        if any(key == "module_file" for key, _ in _constants(task)):
            yield f"{name} takes a module_file: name its function by a dotted path instead."


def _fault(user: str, path: str) -> str | None:
    """What keeps a container from importing `package.module.name`; None if nothing does."""
    if path.startswith("__main__."):
        return f"{user} runs {path}, which no container can import: move it into a module."
    if not _installed(path):
        return f"{user} runs {path}, which no installed package holds: move it into the package."
    try:
        _import(path)
    except (ImportError, AttributeError) as error:
        return f"{user} runs {path}, which cannot be imported: {error}."
    return None


def _installed(path: str) -> bool:
    """Whether a module comes out of an installed distribution, and not out of a folder here.

    Its own file counts: a folder of the package's name may be both here and there, as parts of one
    namespace.
    """
    package = path.partition(".")[0]
    names = _distributions().get(package, [])
    if PROJECT in names:  # it may be installed in place
        return True
    homes = [Path(str(importlib.metadata.distribution(n).locate_file(package))) for n in names]
    places = _places(path)
    return any(place == home or home in place.parents for place in places for home in homes)


def _places(path: str) -> list[Path]:
    """Where the module that a path names is, or the nearest package above it that there is."""
    try:
        spec = importlib.util.find_spec(path)
    except (ImportError, ValueError):  # what is above it is no package, or says not where it is
        spec = None
    if spec is None:
        return _places(path.rpartition(".")[0]) if "." in path else []
    found = [spec.origin] if spec.origin else spec.submodule_search_locations
    return [Path(place) for place in found or []]


@cache
def _distributions() -> Mapping[str, list[str]]:
    """The distributions of each package; it takes long to read them all."""
    return importlib.metadata.packages_distributions()


def _import(path: str) -> None:
    """Imports a module, or a module and its attribute."""
    module, _, name = path.rpartition(".")
    if not hasattr(importlib.import_module(module), name):
        importlib.import_module(path)
