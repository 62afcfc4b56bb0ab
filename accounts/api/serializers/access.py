"""Tokens and webhooks, as the API shows and takes them."""

from rest_framework import serializers

from accounts.choices import DeliveryState
from pmplatform.common.events import EventKind
from pmplatform.common.serializers import StrictSerializer
from pmplatform.common.tokens import Scope


class TokenSerializer(StrictSerializer):
    id = serializers.CharField(source="public_id", help_text="The part between `pm_` and the dot")
    name = serializers.CharField()
    tenant = serializers.CharField(source="tenant.slug")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices()))
    networks = serializers.ListField(
        child=serializers.CharField(), help_text="CIDR blocks it may be used from; empty for anywhere"
    )
    enabled = serializers.BooleanField()
    expires_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute")


class IssuedTokenSerializer(TokenSerializer):
    token = serializers.CharField(allow_null=True, help_text="`pm_<id>.<secret>`; it cannot be shown again")


class TokenCreateSerializer(StrictSerializer):
    tenant = serializers.CharField(required=False, help_text="Slug; your own tenant unless given")
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(Scope.choices()), allow_empty=False, max_length=len(Scope)
    )
    days = serializers.IntegerField(min_value=1, max_value=3_660, default=90)
    networks = serializers.ListField(
        child=serializers.CharField(max_length=49), max_length=32, required=False
    )


class WebhookSerializer(StrictSerializer):
    id = serializers.IntegerField()
    tenant = serializers.CharField(source="tenant.slug")
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(EventKind.choices))
    enabled = serializers.BooleanField()
    rotated_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before is valid, too"
    )
    created_at = serializers.DateTimeField()


class IssuedWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(
        allow_null=True, help_text="Signs what is delivered; it cannot be shown again"
    )


class WebhookCreateSerializer(StrictSerializer):
    tenant = serializers.CharField(required=False, help_text="Slug; your own tenant unless given")
    url = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.ChoiceField(EventKind.choices), allow_empty=False, max_length=len(EventKind)
    )


class WebhookChangeSerializer(StrictSerializer):
    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(EventKind.choices),
        allow_empty=False,
        max_length=len(EventKind),
        required=False,
    )
    enabled = serializers.BooleanField(required=False)


class DeliverySerializer(StrictSerializer):
    id = serializers.IntegerField()
    event = serializers.IntegerField(source="event_id", help_text="The event's id in the stream")
    state = serializers.ChoiceField(DeliveryState.choices)
    attempts = serializers.IntegerField()
    last_error = serializers.CharField()
    created_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
