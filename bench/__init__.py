"""Measures Chappe beside Kannel, and what is left of its messages when it is killed."""
