"""`parameters`: histories into the database, and versions on their way into force."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts.choices import Methodology
from margin.choices import ImpactState, VersionState
from margin.engine.errors import DocumentError
from margin.engine.parameters.diff import parameter_diff
from margin.management.commands.recalculate import watch
from margin.management.texts import change_lines, impact_lines
from margin.models import ParameterVersion
from margin.parameter_files import shipped_documents
from margin.services.approvals import approval_hold, version_approve
from margin.services.impacts import impact_finish, impact_start
from margin.services.market import parameters_load_initial
from margin.services.versions import (
    version_draft,
    version_propose,
    version_reject,
    version_rollback,
    version_withdraw,
)
from margin.tasks import enqueue
from margin.versions import version_named
from pmplatform.common.commands import BAD_INPUT, FAILED, PlatformCommand
from pmplatform.common.errors import NotFound, NotPermitted
from pmplatform.common.principals import Actor
from pmplatform.common.strict_json import Numbers, strict_json_loads


class Command(PlatformCommand):
    help = "Manage parameter versions."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        load = actions.add_parser("import", help="load histories of methodologies that have no version yet")
        load.add_argument(
            "files", nargs="*", type=Path, metavar="FILE", help="default: the shipped histories"
        )
        compare = _pair(actions.add_parser("diff", help="what changes from one version to another"))
        compare.set_defaults(act=self._diff)
        impact = _pair(actions.add_parser("impact", help="margin every account under two versions"))
        impact.add_argument("--timeout", type=float, default=300.0, help="seconds to wait (default 300)")
        impact.set_defaults(act=self._impact)
        propose = actions.add_parser("propose", help="store a document and put it before an approver")
        propose.add_argument("file", type=Path, metavar="FILE", help="one version's document")
        _by(propose).set_defaults(act=self._propose)
        load.set_defaults(act=self._import)
        steps: dict[str, tuple[str, Callable[[Namespace], None]]] = {
            "approve": ("approve a proposed version", self._approve),
            "reject": ("turn a proposed version down", self._reject),
            "withdraw": ("take back a version that is not in force yet", self._withdraw),
            "rollback": ("bring an earlier version's content into force at once", self._rollback),
        }
        for name, (text, act) in steps.items():
            step = _by(actions.add_parser(name, help=text))
            step.add_argument("--methodology", required=True, choices=Methodology.values)
            step.add_argument("--version", required=True, dest="named", metavar="VERSION")
            if name != "approve":
                step.add_argument("--reason", required=True, help="goes into the audit")
            step.set_defaults(act=act)

    def handle(self, *args: Any, **options: Any) -> None:
        options["act"](Namespace(**options))

    def _import(self, options: Namespace) -> None:
        try:
            documents = [_history(file) for file in options.files] or shipped_documents()
            count = parameters_load_initial(documents=documents)
        except DocumentError as error:
            raise CommandError("\n".join(map(str, error.faults)), returncode=BAD_INPUT) from error
        self.stdout.write(f"{count} versions loaded")

    def _diff(self, options: Namespace) -> None:
        base, proposed = _both(options)
        for line in change_lines(parameter_diff(base.document, proposed.document)):
            self.stdout.write(line)

    def _impact(self, options: Namespace) -> None:
        """Wait for the workers that are running, then print the report."""
        base, proposed = _both(options)
        report, part_ids = impact_start(base=base, proposed=proposed, actor=self.actor, now=timezone.now())
        enqueue(part_ids)
        deadline = time.monotonic() + options.timeout
        for run_id in (report.base_run_id, report.proposed_run_id):
            watch(run_id, deadline=deadline)
        report = impact_finish(report_id=report.pk, now=timezone.now())
        if report.state != ImpactState.COMPLETED:
            reason = report.failure or "not finished in time; are workers running?"
            raise CommandError(f"impact report {report.pk} is {report.state}: {reason}", returncode=FAILED)
        for line in impact_lines(report):
            self.stdout.write(line)

    def _propose(self, options: Namespace) -> None:
        actor, now = self._person(options.by, "propose"), timezone.now()
        draft = version_draft(document=_json(options.file), actor=actor, now=now)
        self._moved(version_propose(version_id=draft.pk, actor=actor, now=now))

    def _approve(self, options: Namespace) -> None:
        actor, now = self._person(options.by, "approve"), timezone.now()
        version = version_approve(version_id=_named(options).pk, actor=actor, now=now)
        self._moved(version)
        if version.state == VersionState.PROPOSED:
            for caution in approval_hold(version=version, now=now).cautions:
                self.stdout.write(f"waits for a second approver: {caution}")

    def _reject(self, options: Namespace) -> None:
        actor = self._person(options.by, "approve")
        now, version = timezone.now(), _named(options)
        self._moved(version_reject(version_id=version.pk, reason=options.reason, actor=actor, now=now))

    def _withdraw(self, options: Namespace) -> None:
        actor = self._person(options.by, "propose")
        now, version = timezone.now(), _named(options)
        self._moved(version_withdraw(version_id=version.pk, reason=options.reason, actor=actor, now=now))

    def _rollback(self, options: Namespace) -> None:
        version = version_rollback(
            methodology=options.methodology,
            restores=options.named,
            reason=options.reason,
            actor=self._person(options.by, "approve"),
            now=timezone.now(),
        )
        self._moved(version)

    def _moved(self, version: ParameterVersion) -> None:
        self.stdout.write(
            f"{version} is {version.state}, effective from {version.effective_from.isoformat()}"
        )

    def _person(self, username: str, role: str) -> Actor:
        """The member of the staff in whose name this is done; NotFound, or NotPermitted without the role."""
        user = get_user_model().objects.filter(username=username, is_staff=True, is_active=True).first()
        if user is None:
            raise NotFound(f"There is no member of the staff {username}.")
        if not user.has_perm(f"margin.{role}_parameterversion"):
            raise NotPermitted(f"{username} may not {role} parameter versions.")
        return Actor(name=f"user:{username}", request_id=self.actor.request_id)


def _pair(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("--methodology", required=True, choices=Methodology.values)
    parser.add_argument("--base", required=True, metavar="VERSION")
    parser.add_argument("--proposed", required=True, metavar="VERSION")
    return parser


def _by(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("--by", required=True, metavar="USER", help="in whose name; a member of the staff")
    return parser


def _both(options: Namespace) -> tuple[ParameterVersion, ParameterVersion]:
    base, proposed = (
        version_named(methodology=options.methodology, version=name)
        for name in (options.base, options.proposed)
    )
    return base, proposed


def _named(options: Namespace) -> ParameterVersion:
    return version_named(methodology=options.methodology, version=options.named)


def _history(file: Path) -> Any:
    document = _json(file)
    if not isinstance(document, dict) or not isinstance(document.get("versions"), list):
        raise CommandError(f"{file}: versions: must be an array", returncode=BAD_INPUT)
    return document


def _json(file: Path) -> Any:
    try:
        return strict_json_loads(file.read_bytes(), numbers=Numbers.FLOAT)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", returncode=BAD_INPUT) from error
