"""The settings of the split into train, valid and eval, and of the histories."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

History = Literal["before", "rest"]
Kind = Literal["temporal", "random", "leave_last_n", "predefined"]


class SplitConfig(BaseModel):
    """The `split` section of the configuration.

    `valid` and `eval` are shares of the ratings. With `predefined`, `train` and `eval` name files
    relative to the data directory, and `valid` is the share taken out of the train file.
    The defaults of the lengths are in `history_limit` and `window_limit`.

    Raises:
      pydantic.ValidationError: for unknown fields, or fields that contradict one another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = Field(
        "temporal",
        description="how ratings are split: temporal, random, leave_last_n or predefined; "
        "default without times: random",
    )
    seed: int = Field(42, ge=0, lt=1 << 63, description="seed of random choices")
    valid: float = Field(
        0.1, ge=0, lt=1, description="share of the ratings in valid, for early stopping and tuning"
    )
    eval: float | str = Field(
        0.1, description="share of the ratings in eval, for the gates; predefined: eval's file"
    )
    most_valid: int = Field(
        20_000, ge=1, description="about the most ratings in valid; what is above goes to train"
    )
    most_eval: int = Field(
        200_000,
        ge=1,
        description="about the most ratings in eval: of more, those of users drawn at random judge",
    )
    train: str | None = Field(
        None, description="predefined: the file that train and valid come from"
    )
    n: int = Field(1, ge=1, description="leave_last_n: number of ratings held out of each user")
    history: History | None = Field(
        None,
        description="an eval history: before (earlier ratings) or rest (all in earlier splits); "
        "default: follows from split.kind",
    )
    history_length: int | None = Field(
        None,
        ge=1,
        description="most ratings in an eval history; default: 200, or 1000 with rest or "
        "leave_last_n",
    )
    window_length: int | None = Field(
        None,
        ge=1,
        description="most ratings in a train window; default: 100, or 1000 with rest histories",
    )
    max_bad_share: float = Field(
        0.01, ge=0, le=1, description="largest share of bad rows; with more the run stops"
    )
    max_one_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="largest share of the rows that one user or movie may have; with more the run "
        "stops",
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
