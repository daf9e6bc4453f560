"""Reading: a source's files go in; Arrow tables of clean rows, and what was dropped, come out."""
