"""The APIs that are deployed, put together from their parts as CloudFormation brings them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.local.graphql.definitions import Access, Resolver, Source
from infra.local.graphql.documents import Documents
from infra.local.graphql.errors import DefinitionError
from infra.local.graphql.schema import Schema, read_schema


@dataclass(frozen=True)
class Served:
    """An API that is whole: what its requests are answered by."""

    api_id: str
    arn: str
    access: Access
    schema: Schema
    documents: Documents
    resolvers: Mapping[tuple[str, str], tuple[Resolver, Source]]


@dataclass
class Api:
    """An API and what has come of it so far."""

    api_id: str
    arn: str
    access: Access
    definition: str = ""
    sources: dict[str, Source] = field(default_factory=dict)
    resolvers: dict[tuple[str, str], Resolver] = field(default_factory=dict)
    served: Served | None = None

    def whole(self) -> Served:
        """What is served of it now. Raises DefinitionError while parts are missing."""
        if self.served is None:
            if not self.definition:
                raise DefinitionError(f"The API {self.api_id} has no schema yet.")
            schema = read_schema(self.definition, self.access.default)
            # A source goes after its resolvers and comes before them: in between neither is asked for.
            found = {
                place: (each, self.sources[each.source])
                for place, each in self.resolvers.items()
                if each.source in self.sources
            }
            documents = Documents(
                schema.graphql, introspection=self.access.introspection, depth=self.access.depth
            )
            self.served = Served(self.api_id, self.arn, self.access, schema, documents, found)
        return self.served


class Apis:
    """Every API by its id. Thread-safe: CloudFormation changes them in worker threads."""

    def __init__(self) -> None:
        self._apis: dict[str, Api] = {}
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._apis)

    def put(self, api_id: str, arn: str, access: Access) -> None:
        """An API is made, or another may ask it."""
        with self._lock:
            if api_id in self._apis:
                self._apis[api_id].access, self._apis[api_id].served = access, None
            else:
                self._apis[api_id] = Api(api_id, arn, access)

    def drop(self, api_id: str) -> None:
        """The API is gone."""
        with self._lock:
            self._apis.pop(api_id, None)

    @contextmanager
    def changing(self, api_id: str) -> Iterator[Api]:
        """The API, for a change of its parts. Raises DefinitionError for one that is not there."""
        with self._lock:
            if api_id not in self._apis:
                raise DefinitionError(f"There is no API {api_id}.")
            yield self._apis[api_id]
            self._apis[api_id].served = None

    def served(self, api_id: str) -> Served | None:
        """The API of this id, or without one the only API; None when there is none that is whole."""
        with self._lock:
            found = self._apis.get(api_id) if api_id else None
            if not api_id and len(self._apis) == 1:
                (found,) = self._apis.values()
            try:
                return found.whole() if found is not None else None
            except DefinitionError:
                return None
