"""What all pages share: charts, HTML and the style."""
