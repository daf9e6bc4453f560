"""A training step costs what it reads: it makes nothing as long as a table."""

import pytest
import tensorflow as tf

from components.model.config import TrainingConfig
from components.model.window import ANY_WINDOW
from components.trainer.fit import Fit
from components.trainer.rounds import Rounds

MOVIES = 500  # no other size in the graph is near
READS = ("Const", "Placeholder", "VarHandleOp")  # what is there anyway


@pytest.fixture(scope="module")
def fit(make_model, make_facts, tmp_path_factory):
    """A training of a model of many movies; both tests read the trace of its step."""
    model = make_model(True, make_facts(MOVIES), max_softmax=32)
    folder = str(tmp_path_factory.mktemp("checkpoints"))
    rounds = Rounds(1, 1, 10)
    return Fit(model, TrainingConfig(), rounds, folder, model.tasks(), model.averaged())


def _lengths(graph):
    """Each operation that makes something, with the first dimension of what it makes."""
    for operation in graph.get_operations():
        if operation.type not in READS:
            for made in operation.outputs:
                if made.shape.rank:
                    yield operation.type, made.shape[0]


def test_nothing_in_a_step_is_as_long_as_a_table(fit):
    graph = fit._step.get_concrete_function(ANY_WINDOW).graph
    tables = {len_ for table, _ in fit.model.by_row() if (len_ := table.shape[0]) > 100}
    assert tables >= {MOVIES}  # ids, out-of-vocabulary rows included
    long = {(kind, length) for kind, length in _lengths(graph) if (length or 0) >= MOVIES - 2}
    assert not long
    reads = [op for op in graph.get_operations() if op.type == "ResourceGather"]
    assert len(reads) > len(fit.model.by_row())


def test_a_step_leaves_the_rows_that_it_does_not_read(fit, make_window):
    model = fit.model
    facts, window = model.facts, make_window(model.facts, [5, 3])
    head = model.rating_head
    before = {table.ref(): table.numpy() for table, _ in model.by_row()}
    for _ in range(2):  # the first step of a warm-up has a learning rate of 0
        fit._step(window)
    own = set(facts.id_rows[window.movie.numpy().ravel()])
    changed = {
        table.ref(): set(tf.where(tf.reduce_any(table != before[table.ref()], 1))[:, 0].numpy())
        for table, _ in model.by_row()
    }
    oov = set(facts.oov_rows)
    assert (
        len(changed[head.movies.ids.mean.ref()]) > 0
        and changed[head.movies.ids.mean.ref()] <= own | oov
    )
    assert changed[model.users.ids.ref()] <= {*window.user.numpy(), len(facts.user_ids)}
    # Movies of the softmax learn as well, the others not.
    assert len(changed[model.movies.ids.ref()]) <= len(own) + len(oov) + 32
