"""One module for each kind of thing the HTTP side serves."""
