"""QuickSight's expression language: read, typed, and translated for the preview."""
