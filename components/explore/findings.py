"""What a modeller should know before training, in sentences that are said only where they hold.

Each names the splits that it was read from. What is read from eval describes the task that a model
will be judged by; settings are to be chosen on valid.
"""

from collections.abc import Callable
from dataclasses import dataclass

from components.explore import data_rules, task_rules, time_rules
from components.explore.content import Content
from schemas.words import MOVIE, Item

Rule = Callable[[Content], str | None]
EVAL, TRAIN_EVAL, ALL = ("eval",), ("train", "eval"), ("train", "valid", "eval")
# In the order in which they matter, each with the splits that it reads.
RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (task_rules.new_users, TRAIN_EVAL),
    (task_rules.new_movies, TRAIN_EVAL),
    (task_rules.small_eval, EVAL),
    (task_rules.short_list, TRAIN_EVAL),
    (data_rules.long_tail, ALL),
    (data_rules.little_rated, ("train",)),
    (data_rules.few_users, ALL),
    (data_rules.no_ratings, ALL),
    (task_rules.mean_moves, TRAIN_EVAL),
    (time_rules.no_times, ALL),
    (time_rules.no_hours, ALL),
    (time_rules.one_sitting, ALL),
    (task_rules.shared_moments, EVAL),
    (time_rules.same_moment, ALL),
    (time_rules.one_month, ALL),
    (data_rules.lopsided_group, ALL),
    (data_rules.unknown_features, ("catalogue",)),
    (data_rules.same_titles, ("catalogue",)),
    (data_rules.dropped_rows, ("files",)),
)


@dataclass(frozen=True)
class Finding:
    """One sentence, and the splits that it was read from."""

    text: str
    splits: tuple[str, ...]


def findings(content: Content, item: Item = MOVIE) -> list[Finding]:
    """What holds of these data: what the example gen says of the files, then `RULES` in order.

    `item` is what the source calls the movies.
    """
    of_files = [Finding(text, ("files",)) for text in content["rows"].get("findings", [])]
    said = ((rule(content), splits) for rule, splits in RULES)
    return [
        *of_files,
        *(Finding(item.worded(text), splits) for text, splits in said if text),
    ]
