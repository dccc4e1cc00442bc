"""Building the wheel: our packages, which lie side by side in the repository, placed below `penstock`."""
