"""Vertex AI over the network: jobs, schedules and experiments."""
