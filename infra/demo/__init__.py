"""The whole pipeline once, on this machine."""
