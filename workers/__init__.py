"""Background readers: processes that claim received photos, read them and store what they found."""
