"""Offline checks of what would be deployed: shape, references, silent failures. Nothing here calls AWS."""
