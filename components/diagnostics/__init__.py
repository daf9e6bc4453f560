"""What each group of inputs is worth to a trained model, measured on valid."""
