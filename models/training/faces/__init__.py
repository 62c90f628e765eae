"""Training of the network that marks stone faces, on rendered stones: ``python -m models.training.faces``."""
