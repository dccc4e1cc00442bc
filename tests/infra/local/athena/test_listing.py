"""Locations that are listed together have the objects that each has when it is listed alone."""

from typing import Any

import pytest

from infra.local.athena.listing import listed_together
from infra.local.athena.objects import list_objects

NAMES = (
    "run=1/h=1/a",
    "run=1/h=2/a",
    "run=1/h=2/_temporary/b",
    "run=1/h=3/.c",
    "run=2/h=1/a",
    "run=2/h=1/b/c",
)


class Objects:
    """Lists keys as S3 does, two on a page."""

    def __init__(self, keys: list[str]) -> None:
        self.keys, self.calls = sorted(keys), 0

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        self.calls += 1
        after = asked.get("ContinuationToken") or asked.get("StartAfter", "")
        left = [key for key in self.keys if key.startswith(asked["Prefix"]) and key > after]
        size = {key: 0 if key.endswith("empty") else 5 for key in left}
        page: dict[str, Any] = {
            "Contents": [{"Key": key, "ETag": f'"{key}"', "Size": size[key]} for key in left[:2]],
            "IsTruncated": len(left) > 2,
        }
        return page | ({"NextContinuationToken": left[1]} if len(left) > 2 else {})


def alone(objects: Objects, locations: list[str]) -> dict[str, list[Any]]:
    found = {location: [*list_objects(objects, location)] for location in locations}
    return {location: listed for location, listed in found.items() if listed}


def test_each_location_has_its_own_visible_objects() -> None:
    others = ["reports/run=0/h=1/a", "reports/run=1/h=2-1/a", "reports/run=1/h=2!/a", "reports/run=3/h=1/a"]
    objects = Objects([*(f"reports/{name}" for name in NAMES), *others, "reports/run=1/h=1/empty"])
    locations = [f"s3://b/reports/run={run}/h={hour}/" for run in (1, 2) for hour in (1, 2, 3)]
    found = listed_together(locations, objects)
    assert found == alone(Objects(objects.keys), locations)
    assert found is not None
    assert sum(map(len, found.values())) == 4


def test_a_location_below_a_hidden_folder_and_an_object_that_is_called_as_its_location_are_seen() -> None:
    objects = Objects(["_old/h=1/a", "_old/h=1/", "_old/h=2/a", "_old/h=2/_x/a"])
    locations = ["s3://b/_old/h=1/", "s3://b/_old/h=2/"]
    assert listed_together(locations, objects) == alone(Objects(objects.keys), locations)


@pytest.mark.parametrize(
    "locations",
    [
        ["s3://b/a/", "s3://b/a/h=1/"],
        ["s3://b/a/", "s3://c/a/"],
        ["s3a://b/a/h=1/", "s3a://b/a/h=2/"],
    ],
)
def test_locations_that_overlap_or_lie_in_several_buckets_are_listed_alone(locations: list[str]) -> None:
    assert listed_together(locations, Objects(["a/h=1/x"])) is None


def test_reading_over_very_many_other_objects_is_given_up() -> None:
    objects = Objects([f"a/h={number:04d}/x" for number in range(1000)])
    assert listed_together(["s3://b/a/h=0001/", "s3://b/a/h=0900/"], objects) is None
    assert objects.calls < 60
