"""Who is asking, whatever they asked with."""

from dataclasses import dataclass

from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from pmplatform.common.tokens import Scope


@dataclass(frozen=True, slots=True)
class Actor:
    """The name and request that ledger and audit rows record."""

    name: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated user or token: what it may do, and in which tenants.

    ``tenant_id`` None is the platform, which reads every tenant. It writes in ``writable_tenants`` only:
    staff in those they have a grant for; None means all, for a platform token that carries the scope.
    """

    name: str
    tenant_id: int | None
    scopes: frozenset[Scope]
    writable_tenants: frozenset[int] | None

    @property
    def is_platform(self) -> bool:
        return self.tenant_id is None

    def may_read(self, tenant_id: int) -> bool:
        return self.is_platform or tenant_id == self.tenant_id

    def may_write(self, tenant_id: int) -> bool:
        return self.writable_tenants is None or tenant_id in self.writable_tenants

    def actor(self, request_id: str) -> Actor:
        return Actor(name=self.name, request_id=request_id)


def principal_of(request: Request) -> Principal:
    """The principal behind a request; NotAuthenticated when there is none."""
    if not isinstance(request.auth, Principal):
        raise NotAuthenticated
    return request.auth
