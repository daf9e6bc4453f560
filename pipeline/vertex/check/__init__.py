"""What would fail on Vertex AI or Kubeflow, found before a submission."""
