"""Greenlight in a notebook: fit a model on tables, ask it, read its report.

It is the pipeline of `greenlight run`, and the graph that `greenlight serve` serves.
"""

from greenlight.fit import fit
from greenlight.fitted import Fitted, Report
from greenlight.fitted import open_folder as open
from schemas.errors import RunFailed, UserError

__all__ = ["Fitted", "Report", "RunFailed", "UserError", "fit", "open"]
