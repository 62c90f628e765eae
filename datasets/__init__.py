"""What models learn from and are measured on: inscriptions, rendered stones, manifests, the sample pack."""
