"""What reads Examples and catalogues, whichever node asks."""
