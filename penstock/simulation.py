"""What a stream's simulator yields: `from penstock.simulation import Happening`."""

from producers.simulation.traffic import Happening, Traffic

__all__ = ["Happening", "Traffic"]
