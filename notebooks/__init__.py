"""Notebooks that take a token from the desk to the door, and what runs them: ``python -m notebooks``."""
