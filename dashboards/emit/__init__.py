"""Declarations and report contracts to QuickSight's JSON: pure, canonical, with ids that derive from
names.
"""

from dashboards.emit.resources import Resource, assets, resources

__all__ = ["Resource", "assets", "resources"]
