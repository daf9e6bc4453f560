"""The curated schemas, and the check of the data against them."""
