"""Reading: from a source's files to tables of clean rows."""
