"""Routes of parameter versions: each method validates, calls, serialises."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as drf
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.filters import StrictFilters
from margin import versions
from margin.api.examples import parameters as examples
from margin.api.filters import VersionFilters
from margin.api.serializers import parameters as serializers
from margin.choices import VersionState
from margin.models import ParameterVersion
from margin.services.approvals import approval_hold, version_approve
from margin.services.versions import (
    version_draft,
    version_propose,
    version_redraft,
    version_reject,
    version_rollback,
    version_schedule,
    version_withdraw,
)
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent
from pmplatform.common.parsers import MIB, FloatJSONParser
from pmplatform.common.problems import problem_responses
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

READ_ERRORS = problem_responses(
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
)
WRITE_ERRORS = READ_ERRORS | problem_responses(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


class ParametersView(ApiView):
    """Drafts and proposals are the platform's business; what is in force is everybody's."""

    queryset = ParameterVersion.objects.none()
    platform_only_methods = frozenset({"GET", "POST", "PUT"})
    required_scopes = {"GET": Scope.READ, "POST": Scope.PARAMETERS, "PUT": Scope.PARAMETERS}
    parser_classes = (FloatJSONParser,)
    max_body_bytes = MIB

    def given(self, serializer: type[drf.Serializer[Any]]) -> dict[str, Any]:
        """The checked body of the request."""
        wanted = serializer(data=self.request.data)
        wanted.is_valid(raise_exception=True)
        return dict(wanted.validated_data)


class VersionsView(ParametersView):
    serializer_class = serializers.VersionSerializer
    filter_backends = (StrictFilters,)
    filterset_class = VersionFilters

    def get_queryset(self) -> QuerySet[ParameterVersion]:
        return versions.versions()

    @extend_schema(
        operation_id="parameters_versions_list",
        responses={200: serializers.VersionSerializer(many=True), **READ_ERRORS},
        examples=[examples.VERSION],
    )
    def get(self, request: Request) -> Response:
        """Versions in every state. Scope: `read`, platform only."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="parameters_versions_draft",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.DraftSerializer,
        responses={201: serializers.VersionSerializer, **WRITE_ERRORS},
        examples=[examples.DRAFT, examples.VERSION],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Store a document as a draft. Scope: `parameters`, platform only.

        A bad document is refused with every fault and its path, among them coins and currencies of the live
        book that it does not price.
        """
        document = self.given(serializers.DraftSerializer)["document"]
        version = version_draft(document=document, actor=self.actor, now=timezone.now())
        return Response(self.get_serializer(version).data, status=HTTPStatus.CREATED)


class VersionView(ParametersView):
    serializer_class = serializers.VersionDetailSerializer

    @extend_schema(
        operation_id="parameters_versions_read",
        responses={200: serializers.VersionDetailSerializer, **READ_ERRORS},
        examples=[examples.VERSION_DETAIL],
    )
    def get(self, request: Request, version_id: int) -> Response:
        """One version with its document, and what its approval waits for. Scope: `read`, platform only."""
        version: Any = versions.version_get(version_id=version_id)
        is_proposed = version.state == VersionState.PROPOSED
        version.approval = approval_hold(version=version, now=timezone.now()) if is_proposed else None
        return Response(self.get_serializer(version).data)

    @extend_schema(
        operation_id="parameters_versions_redraft",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.DraftSerializer,
        responses={200: serializers.VersionSerializer, **WRITE_ERRORS},
        examples=[examples.DRAFT, examples.VERSION],
    )
    @idempotent
    def put(self, request: Request, version_id: int) -> Response:
        """Replace the document of a draft. Scope: `parameters`, platform only."""
        document = self.given(serializers.DraftSerializer)["document"]
        version = version_redraft(version_id=version_id, document=document, actor=self.actor)
        return Response(serializers.VersionSerializer(version).data)


class MoveView(ParametersView):
    """A step in the life of a version."""

    serializer_class = serializers.VersionSerializer

    def answer(self, version: ParameterVersion) -> Response:
        return Response(self.get_serializer(version).data)


class ProposeView(MoveView):
    @extend_schema(
        operation_id="parameters_versions_propose",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.NothingSerializer,
        responses={200: serializers.VersionSerializer, **WRITE_ERRORS},
        examples=[examples.VERSION],
    )
    @idempotent
    def post(self, request: Request, version_id: int) -> Response:
        """Freeze a draft and put it before an approver. Scope: `parameters`, platform only."""
        self.given(serializers.NothingSerializer)
        return self.answer(version_propose(version_id=version_id, actor=self.actor, now=timezone.now()))


class ApproveView(MoveView):
    @extend_schema(
        operation_id="parameters_versions_approve",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.NothingSerializer,
        responses={200: serializers.VersionSerializer, **WRITE_ERRORS},
        examples=[examples.VERSION],
    )
    @idempotent
    def post(self, request: Request, version_id: int) -> Response:
        """Approve a proposed version; not for whoever proposed it. Scope: `parameters`, platform only.

        Refused without a recent impact report of this very document against the version in force. With too
        many newly liquidatable accounts, or a drastic change of one value, the state becomes `approved` only
        when a second person approves as well.
        """
        self.given(serializers.NothingSerializer)
        return self.answer(version_approve(version_id=version_id, actor=self.actor, now=timezone.now()))


class ScheduleView(MoveView):
    @extend_schema(
        operation_id="parameters_versions_schedule",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.NothingSerializer,
        responses={200: serializers.VersionSerializer, **WRITE_ERRORS},
        examples=[examples.VERSION],
    )
    @idempotent
    def post(self, request: Request, version_id: int) -> Response:
        """Put an approved version on the calendar at once. Scope: `parameters`, platform only.

        The platform does so by itself within seconds; approval is what lets a version come into force.
        """
        self.given(serializers.NothingSerializer)
        return self.answer(version_schedule(version_id=version_id, actor=self.actor))


class RejectView(MoveView):
    @extend_schema(
        operation_id="parameters_versions_reject",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.ReasonSerializer,
        responses={200: serializers.VersionSerializer, **WRITE_ERRORS},
        examples=[examples.REASON, examples.VERSION],
    )
    @idempotent
    def post(self, request: Request, version_id: int) -> Response:
        """Turn a proposal down. Scope: `parameters`, platform only."""
        reason = self.given(serializers.ReasonSerializer)["reason"]
        return self.answer(
            version_reject(version_id=version_id, reason=reason, actor=self.actor, now=timezone.now())
        )


class WithdrawView(MoveView):
    @extend_schema(
        operation_id="parameters_versions_withdraw",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.ReasonSerializer,
        responses={200: serializers.VersionSerializer, **WRITE_ERRORS},
        examples=[examples.REASON, examples.VERSION],
    )
    @idempotent
    def post(self, request: Request, version_id: int) -> Response:
        """Take back a version that is not in force yet. Scope: `parameters`, platform only."""
        reason = self.given(serializers.ReasonSerializer)["reason"]
        return self.answer(
            version_withdraw(version_id=version_id, reason=reason, actor=self.actor, now=timezone.now())
        )


class RollbackView(MoveView):
    @extend_schema(
        operation_id="parameters_rollback",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.RollbackSerializer,
        responses={201: serializers.VersionSerializer, **WRITE_ERRORS},
        examples=[examples.ROLLBACK, examples.VERSION],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Bring an earlier version's content into force at once, as a new version. Scope: `parameters`.

        One person may, and it raises an alarm. Platform only.
        """
        wanted = self.given(serializers.RollbackSerializer)
        version = version_rollback(
            methodology=wanted["methodology"],
            restores=wanted["version"],
            reason=wanted["reason"],
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(self.get_serializer(version).data, status=HTTPStatus.CREATED)
