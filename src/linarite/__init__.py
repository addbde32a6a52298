"""Linarite: an Azure Machine Learning workspace server that Azure's own clients cannot tell from the real thing."""

__version__ = "0.1.0"
