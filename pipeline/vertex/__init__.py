"""The same pipeline on Vertex AI and Kubeflow."""
