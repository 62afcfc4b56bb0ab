"""Routes by which a parameter version is judged: differences, impact reports, and what is in force."""

from datetime import datetime
from http import HTTPStatus

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.choices import Methodology
from margin import selectors, versions
from margin.api.examples import parameters as examples
from margin.api.parameters import READ_ERRORS, WRITE_ERRORS, ParametersView
from margin.api.serializers import parameters as serializers
from margin.engine.parameters.diff import parameter_diff
from margin.models import ImpactReport, ParameterVersion
from margin.services.impacts import impact_write
from margin.services.runs import runs_announce
from pmplatform.common.errors import NotFound, ValidationFailed
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent_view
from pmplatform.common.permissions import HasPrincipal
from pmplatform.common.views import ApiView

_BASE = OpenApiParameter("base", str, description="Name of the version to compare with; default: that before")


class DiffView(ParametersView):
    serializer_class = serializers.DiffSerializer

    @extend_schema(
        operation_id="parameters_versions_diff",
        parameters=[_BASE],
        responses={200: serializers.DiffSerializer, **READ_ERRORS},
        examples=[examples.DIFF],
    )
    def get(self, request: Request, version_id: int) -> Response:
        """What changes, value by value and by meaning. Scope: `read`, platform only."""
        version = versions.version_get(version_id=version_id)
        base = _base(version, request.query_params.get("base"))
        changes = parameter_diff(base.document, version.document)
        body = {"base": base.version, "proposed": version.version, "changes": changes}
        return Response(self.get_serializer(body).data)


class ImpactView(ParametersView):
    serializer_class = serializers.ImpactSerializer

    @extend_schema(
        operation_id="parameters_versions_impact",
        responses={200: serializers.ImpactSerializer, **READ_ERRORS},
        examples=[examples.IMPACT],
    )
    def get(self, request: Request, version_id: int) -> Response:
        """The newest impact report of a version, also one under way. Scope: `read`, platform only."""
        return Response(self.get_serializer(_newest_impact(version_id)).data)

    @extend_schema(
        operation_id="parameters_versions_impact_start",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.ImpactRequestSerializer,
        responses={202: serializers.ImpactSerializer, **WRITE_ERRORS},
        examples=[examples.IMPACT_REQUEST, examples.IMPACT],
    )
    @idempotent_view
    def post(self, request: Request, version_id: int) -> Response:
        """Margin every account of the methodology under two versions. Scope: `parameters`, platform only.

        While a report on the same two versions is under way, that one is answered.
        """
        version = versions.version_get(version_id=version_id)
        base = _base(version, self.given(serializers.ImpactRequestSerializer).get("base"))
        report, part_ids = impact_write(base=base, proposed=version, actor=self.actor, now=timezone.now())
        runs_announce(part_ids=part_ids)
        return Response(self.get_serializer(report).data, status=HTTPStatus.ACCEPTED)


class ImpactAccountsView(ParametersView):
    serializer_class = serializers.ImpactAccountSerializer

    @extend_schema(
        operation_id="parameters_versions_impact_accounts",
        responses={200: serializers.ImpactAccountSerializer(many=True), **READ_ERRORS},
        examples=[examples.IMPACT_ACCOUNT],
    )
    def get(self, request: Request, version_id: int) -> Response:
        """Every account of the newest impact report, before and after. Scope: `read`, platform only."""
        accounts = versions.impact_accounts(_newest_impact(version_id))
        page = self.paginate_queryset(accounts)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class InForceView(ApiView):
    """Published coefficients are no secret, so any credentials will do."""

    serializer_class = serializers.InForceSerializer
    permission_classes = (HasPrincipal,)
    queryset = ParameterVersion.objects.none()

    @extend_schema(
        operation_id="parameters_in_force",
        parameters=[
            OpenApiParameter("methodology", str, required=True, enum=Methodology.values),
            OpenApiParameter("at", datetime, description="Default: now"),
        ],
        responses={200: serializers.InForceSerializer, **READ_ERRORS},
        examples=[examples.IN_FORCE],
    )
    def get(self, request: Request) -> Response:
        """The version that is, was or will be in force at an instant. Any credentials."""
        name = request.query_params.get("methodology", "")
        if name not in Methodology.values:
            raise ValidationFailed.at("methodology", f"is none of {', '.join(Methodology.values)}")
        version = selectors.parameters_in_force(name, _instant(request.query_params.get("at")))
        if version is None:
            raise NotFound(f"{name} had no parameters then.")
        return Response(self.get_serializer(version).data)


def _instant(text: str | None) -> datetime:
    """A time with its zone, now where none is given; ValidationFailed for anything else."""
    if text is None:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValidationFailed.at("at", "is not an ISO 8601 time with a zone, such as 2025-01-06T08:00:00Z")
    return moment


def _base(version: ParameterVersion, name: str | None) -> ParameterVersion:
    """The version to compare with: the one named, else the one that this takes over from."""
    if name is not None:
        return versions.version_named(methodology=version.methodology, version=name)
    before = versions.version_before(version)
    if before is None:
        raise NotFound(f"No version comes before {version}; name one to compare with.")
    return before


def _newest_impact(version_id: int) -> ImpactReport:
    report = versions.impacts_of(versions.version_get(version_id=version_id)).first()
    if report is None:
        raise NotFound("There is no impact report of this version yet.")
    return report
