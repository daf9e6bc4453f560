"""Kubeflow Pipelines over the network."""
