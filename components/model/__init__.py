"""The network: towers, heads, losses, and the scorer that evaluation and serving share."""
