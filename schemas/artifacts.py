"""Names that parts of the project meet by: the pipeline's nodes, and the files they leave.

One part writes a file and others look for it; they share the name by importing it from here, where
nothing else has to be imported for it.
"""


class Node:
    """Ids of the pipeline's nodes, in TFX, in ML Metadata and on Vertex AI."""

    LAST_STATISTICS = "LastStatistics"
    BLESSED_MODEL = "BlessedModel"
    EXAMPLE_GEN = "RatingExampleGen"
    CURATED_SCHEMA = "CuratedSchema"
    STATISTICS = "StatisticsGen"
    CATALOGUE_STATISTICS = "CatalogueStatistics"
    DATA_VALIDATOR = "DataValidator"
    TRANSFORM = "Transform"
    TUNER = "MovieTuner"
    TRAINER = "MovieTrainer"
    EVALUATOR = "Evaluator"
    PUSHER = "Pusher"
    REPORT = "BlessingReport"


CATALOGUE = "catalogue"  # the example gen's second output, and the one split in it
# Beside the splits, where eval has more ratings than may judge by: the others, which are neither
# learned nor predicted, only served from.
UNJUDGED = "unjudged"
# Beside the splits: of those who have ratings in valid, the windows of train and valid together,
# which a training reads in place of theirs in train once valid has chosen.
REFIT = "refit"
SPLIT_PREFIX = "Split-"  # and the split's name: its folder within an artifact

ROWS_FILE = "rows.json"  # beside the Examples: what was read, kept and dropped, and the splits
STATISTICS_FILE = "FeatureStats.pb"  # in a split's folder of a statistics artifact
FINDINGS_FILE = "findings.json"  # beside the anomalies: the features that drifted
TRIALS_FILE = "trials.json"  # of the tuner's results, and published
HISTORY_FILE = "history.json"  # of the model run: the training, epoch by epoch
CROSSES_FILE = "crosses.json"  # of the model run, where the model has cross layers
IMPORTANCE_FILE = "importance.json"  # of the model run, where it was measured
ORDERS_FILE = "orders.json"  # likewise
CHECKS_FILE = "checks.json"  # of the evaluation: what the exported model answered
BLESSING_FILE = "blessing.json"  # of the report: the verdict, for programs
FACTS_FILE = "facts.json"  # of the report: what else its page shows
MARKDOWN_FILE = "report.md"  # of the report, for people
PAGE_FILE = "index.html"  # of the report, of the data page and of the tuning page

BEST_FILE = "best.yaml"  # beside the tuning page: the configuration with the best settings
HISTORY_PAGE_FILE = "history.html"  # beside the reports: all runs on one page
LATEST = "latest"  # beside the reports: a link to the newest
LOG_FILE = "greenlight.log"  # in the output directory
LOCK_FILE = ".lock"  # in the output directory, held by the run that is at work there
