"""Writing: from rows to files of serialised Examples."""
