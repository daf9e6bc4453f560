"""What a run concludes, for people and for programs."""
