"""The verbs of `penstock produce`."""
