"""Which objects a query must read: lake partitions that its conditions allow, and what lies in them."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.local.athena.glue_catalog import GlueCatalog
from infra.local.athena.layout import Layout, folder
from infra.local.athena.objects import StoredObject, list_objects
from infra.local.athena.projection import (
    Rule,
    candidates,
    fill,
    key_bounds,
    matcher,
    rules_of,
    template_of,
    typed,
)
from infra.local.athena.sql.scope import Domain, Domains

_LISTED_ONE_BY_ONE = 8
"""Up to here one LIST per partition is cheaper than reading over everything between the first and the last."""
_PARALLEL = 4


@dataclass(frozen=True)
class PartitionObjects:
    """A lake partition's values, as texts (None is NULL), and its objects."""

    values: Mapping[str, str | None]
    objects: tuple[StoredObject, ...]


def find_objects(
    layout: Layout, domains: Domains, catalog: GlueCatalog, s3: Any, now: datetime
) -> list[PartitionObjects]:
    """The objects of every partition that the domains allow. Conditions are applied before anything is listed."""
    if not layout.partitions:
        found = [PartitionObjects({}, tuple(list_objects(s3, layout.location)))]
    elif layout.projected:
        found = _projected(layout, domains, s3, now)
    else:
        found = _registered(layout, domains, catalog, s3)
    paths = domains.get("$path")
    if paths is not None:
        found = [
            PartitionObjects(p.values, tuple(o for o in p.objects if paths.allows(o.address))) for p in found
        ]
    return [partition for partition in found if partition.objects]


def _registered(layout: Layout, domains: Domains, catalog: GlueCatalog, s3: Any) -> list[PartitionObjects]:
    wanted = []
    for partition in catalog.partitions(layout.database, layout.name):
        values = dict(zip((name for name, _ in layout.partitions), partition["Values"], strict=True))
        values = {n: None if v == "__HIVE_DEFAULT_PARTITION__" else v for n, v in values.items()}
        if all(_allowed(values[name], domains.get(name), of) for name, of in layout.partitions):
            wanted.append((values, folder(partition["StorageDescriptor"]["Location"])))
    return _list_each(wanted, s3)


def _allowed(value: str | None, domain: Domain | None, of: Any) -> bool:
    return domain is None or (value is not None and domain.allows(typed(value, of)))


def _list_each(wanted: list[tuple[dict[str, Any], str]], s3: Any) -> list[PartitionObjects]:
    def one(item: tuple[dict[str, Any], str]) -> PartitionObjects:
        return PartitionObjects(item[0], tuple(list_objects(s3, item[1])))

    if len(wanted) < 2:
        return [one(item) for item in wanted]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(one, wanted))


def _projected(layout: Layout, domains: Domains, s3: Any, now: datetime) -> list[PartitionObjects]:
    rules, template = rules_of(layout), template_of(layout)
    few = candidates(rules, domains, now, _LISTED_ONE_BY_ONE)
    if few is not None:
        return _list_each([(values, fill(template, values)) for values in few], s3)
    return _listed_once(rules, template, domains, s3, now)


def _listed_once(
    rules: list[Rule], template: str, domains: Domains, s3: Any, now: datetime
) -> list[PartitionObjects]:
    """Read over all keys between the bounds, and keep those whose values the rules make and the query can want."""
    static, after, until = key_bounds(template, domains)
    pattern = matcher(template, rules)
    kept: dict[tuple[str, ...], list[StoredObject]] = {}
    verdicts: dict[tuple[str, ...], bool] = {}
    for stored in list_objects(s3, static, after=after, until=until):
        match = pattern.match(stored.address)
        if match is None:
            continue
        values = tuple(match[rule.column] for rule in rules)
        if values not in verdicts:
            verdicts[values] = all(
                rule.allows(value, now) and _allowed(value, domains.get(rule.column), rule.of)
                for rule, value in zip(rules, values, strict=True)
            )
        if verdicts[values]:
            kept.setdefault(values, []).append(stored)
    names = [rule.column for rule in rules]
    return [PartitionObjects(dict(zip(names, v, strict=True)), tuple(objects)) for v, objects in kept.items()]
