"""Hollow Lane: an invented shop whose logs, assistant and knowledge show the pipeline at work."""
