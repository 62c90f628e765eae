"""Measurements of the product: ``python -m bench [--only NAME]``."""
