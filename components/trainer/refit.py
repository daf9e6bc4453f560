"""Goes on with what valid has chosen, on train and valid together."""

from dataclasses import replace

from components.model import randomness
from components.model.protocol import Model
from components.trainer import blend
from components.trainer.data import TrainingData, count
from components.trainer.job import Job
from components.trainer.learn import Trained, build, fit
from components.trainer.variables import assign_all


def refit(job: Job, data: TrainingData, trained: Trained) -> Model:
    """Trains a copy of `trained` on, with what valid holds, for half as many epochs.

    It counts train and valid, and begins with the weights that valid chose and a new warm-up: that
    is cheaper than all epochs from the start. Nothing is left to judge it by before eval, so the
    weights of the last epoch stay; the linear path has the share and half-life that valid chose.
    """
    outcome = job.outcome._replace(trained_until=job.outcome.valid_until)
    checkpoints, log_dir = f"{job.checkpoints}/refit", f"{job.log_dir}/refit"
    job = replace(job, outcome=outcome, refits=True, checkpoints=checkpoints, log_dir=log_dir)
    data = data._replace(statistics=count(job, data.lookup, len(data.catalogue)))
    randomness.seed(job.settings.training.seed)
    model = build(job, data, trained.model.facts.popular_days)
    path, trained.model.linear = trained.model.linear, None
    assign_all(model.variables, trained.model.variables)
    trained.model.linear = path
    fit(job, model, data, lambda _: {})
    if path is not None:
        model.linear = blend.build_path(model, job.windows.serialized(), data.lookup)
        model.linear.set(path.share, path.half_life)
    return model
