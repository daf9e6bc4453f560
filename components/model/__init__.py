"""The joint model: towers, heads, losses, baselines and the exported graph."""
