"""What a trained model pays attention to, measured on valid."""
