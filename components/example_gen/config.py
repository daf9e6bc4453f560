"""How ratings are split into train, valid and eval, and what a history may hold."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

History = Literal["before", "rest"]
Kind = Literal["temporal", "random", "leave_last_n", "predefined"]


class SplitConfig(BaseModel):
    """The `split` section of the configuration.

    `valid` and `eval` are shares of the ratings; for `predefined`, `train` and `eval` name files
    relative to the data directory and `valid` is the share of train that is carved out.
    A length left out gets the default of its split kind: see `history_limit` and `window_limit`.

    Raises:
      pydantic.ValidationError: for unknown fields, or fields that contradict one another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = Field("temporal", description="how: temporal, random, leave_last_n or predefined")
    seed: int = Field(42, ge=0, lt=1 << 63, description="seed of what is drawn")
    valid: float = Field(0.1, ge=0, lt=1, description="share for early stopping")
    eval: float | str = Field(0.1, description="share for the gates; predefined: its file")
    train: str | None = Field(None, description="predefined: the file of train and valid")
    n: int = Field(1, ge=1, description="leave_last_n: ratings held out of each user")
    history: History | None = Field(
        None, description="what an eval history holds: before or rest; none: by the kind"
    )
    history_length: int | None = Field(
        None, ge=1, description="most ratings of an eval history; none: 200 or 1000 by the kind"
    )
    window_length: int | None = Field(
        None, ge=1, description="most ratings of a train window; none: 100, as a set 1000"
    )
    max_bad_share: float = Field(
        0.01, ge=0, le=1, description="share of bad rows above which the run stops"
    )
    max_one_share: float = Field(
        0.5, ge=0, le=1, description="share of the rows of one user or movie that stops the run"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "SplitConfig":
        if self.kind == "predefined":
            if self.train is None or not isinstance(self.eval, str):
                raise ValueError(
                    "split.kind=predefined needs split.train and split.eval to name files"
                )
        elif self.train is not None or isinstance(self.eval, str):
            raise ValueError(
                f"split.train and split.eval name files only with split.kind=predefined, "
                f"not with {self.kind}"
            )
        elif not 0 < self.eval < 1 or self.valid + self.eval >= 1:
            raise ValueError(
                f"split.valid={self.valid} and split.eval={self.eval} must leave a share for train "
                "and one for eval"
            )
        if self.kind == "random" and self.history == "before":
            raise ValueError(
                "split.history=before would show later ratings to a random split; "
                "use history=rest or split.kind=temporal"
            )
        return self

    @property
    def needs_timestamps(self) -> bool:
        """Whether the split or its histories have no meaning without timestamps."""
        return self.kind in ("temporal", "leave_last_n") or self.history == "before"

    @property
    def needs_cutoffs(self) -> bool:
        """Whether valid (and eval, if temporal) may be cut off by time."""
        return self.kind == "temporal" or (self.kind == "predefined" and self.history != "rest")

    @property
    def eval_share(self) -> float:
        """The share of ratings asked for eval; 0 where a file says what eval is."""
        return 0.0 if isinstance(self.eval, str) else self.eval

    def history_mode(self, eval_after_train: bool) -> History:
        """What a valid or eval history holds.

        Args:
          eval_after_train: whether every eval rating of every user comes after all of that
            user's train ratings; it decides for predefined splits that leave `history` open.
        """
        if self.history is not None:
            return self.history
        if self.kind == "predefined":
            return "before" if eval_after_train else "rest"
        return "rest" if self.kind == "random" else "before"

    def history_limit(self, mode: History) -> int:
        """The greatest number of ratings in a valid or eval history."""
        if self.history_length is not None:
            return self.history_length
        return 1000 if mode == "rest" or self.kind == "leave_last_n" else 200

    def window_limit(self, mode: History) -> int:
        """The greatest number of ratings in a train window."""
        if self.window_length is not None:
            return self.window_length
        return 1000 if mode == "rest" else 100
