"""The one error type that stands for a user's mistake."""


class UserError(Exception):
    """A mistake that the user can mend; its message is one sentence that says what to do.

    The command line prints the message without a traceback and exits with status 2.
    """


class RunFailed(Exception):  # noqa: N818 (it is an outcome)
    """A run ended by a fault that is not the user's; its message says where the log is."""
