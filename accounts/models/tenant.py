from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import validate_slug
from django.db import models
from django.utils import timezone

from pmplatform.common.tokens import Scope


class Tenant(models.Model):
    """A firm whose accounts are margined here; it sees nothing of the others."""

    slug = models.CharField(max_length=63, unique=True, validators=[validate_slug])
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("slug",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(slug__regex=r"^[-a-zA-Z0-9_]+$"), name="tenant_slug_plain"
            ),
        )

    def __str__(self) -> str:
        return self.slug


class User(AbstractUser):
    """A person. Without a tenant: platform staff, who act inside a tenant by grant only."""

    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="users")

    class Meta(AbstractUser.Meta):
        permissions = tuple(
            (f"scope_{scope}", f"Has the scope {scope}") for scope in Scope if scope != Scope.READ
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(tenant__isnull=True) | models.Q(is_superuser=False),
                name="user_of_tenant_is_no_superuser",
            ),
        )


class TenantGrant(models.Model):
    """Allows one member of the platform staff to act inside one tenant, and says who allowed it and why."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="grants")
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "tenant"], name="tenant_grant_once"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="tenant_grant_has_reason"),
        )
        verbose_name = "tenant grant"

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant}"


def _no_networks() -> list[str]:
    return []


class ApiToken(models.Model):
    """A program's credential; only the keyed digest of its secret is kept.

    ``networks`` lists the CIDR blocks it may be used from, empty for anywhere. Without a tenant it is
    the platform's.
    """

    public_id = models.CharField(max_length=32, unique=True)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=100, blank=True)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="tokens")
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices()))
    networks = ArrayField(models.CharField(max_length=49), default=_no_networks, blank=True)
    enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(scopes__len__gt=0)
                & models.Q(scopes__contained_by=[scope.value for scope in Scope]),
                name="api_token_scopes_known",
            ),
            models.CheckConstraint(
                condition=models.Q(digest__regex=r"^[0-9a-f]{64}$"), name="api_token_digest_hex"
            ),
        )
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"pm_{self.public_id}"
