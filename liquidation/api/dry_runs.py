"""Routes that plan and trade nothing: for a book document, and for an account as it stands."""

from http import HTTPStatus

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import account_get
from liquidation.api.examples import dry_runs as examples
from liquidation.planner.document import liquidation_plan
from liquidation.services.dry_runs import account_plan
from margin.api.labels import LABELS, LabelledView
from margin.api.simulations import StatelessView, simulated
from margin.market_states import snapshots
from pmplatform.common.problems import problem_responses

_UNREADABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_ACCOUNT_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


class LiquidationView(StatelessView):
    @extend_schema(
        operation_id="simulations_liquidation",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **problem_responses(*_UNREADABLE)},
        examples=[examples.BOOK, examples.PLAN],
    )
    def post(self, request: Request) -> Response:
        """What liquidation would do to a book document; nothing is stored or traded. Scope: `read`.

        `trigger` is `none` for an account above its threshold. Each step says what it trades and converts,
        the risk that decided it (`unit`, `component`, `reason`), its cost, and the figures before and after;
        `deficit` is what is missing to the target, in USD. `outcome` is `safe`, `takeover` (the insurance
        fund takes `account` and adds `shortfall_usd`), `unfinished` at the most steps a plan may have, or
        `nothing_to_do`. `account` is what is left after the last step.
        """
        return simulated(liquidation_plan, request)


class AccountPlanView(LabelledView):
    @extend_schema(
        operation_id="accounts_liquidation_plan",
        parameters=LABELS,
        responses={200: OpenApiTypes.OBJECT, **_ACCOUNT_ERRORS},
        examples=[examples.PLAN],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """What liquidation would do to an account at the newest snapshot; nothing is traded. Scope: `read`.

        The answer is as that for a book document; where a case of the account is live, it is what is left of
        its plan. 422 with the reasons where the account cannot be margined now.
        """
        account = account_get(principal=self.principal, account_id=account_id)
        self.snapshot = snapshots().first()
        return Response(account_plan(account_id=account.pk))
