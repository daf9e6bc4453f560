"""What decides on a blessing: metrics with intervals, and the gates over them."""
