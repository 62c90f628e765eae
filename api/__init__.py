"""The HTTP side: JSON API for the portal and the verification pages for people."""
