"""Chappe: a telecom API platform that you run yourself."""

__version__ = "0.1.0"
