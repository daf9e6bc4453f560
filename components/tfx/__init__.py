"""What most of the code needs of TFX, so that another release of it is met in few files."""
