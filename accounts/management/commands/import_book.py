from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts import selectors
from accounts.services.loading import accounts_load
from pmplatform.common.commands import BAD_INPUT, PlatformCommand
from pmplatform.common.errors import FieldError, ValidationFailed
from pmplatform.common.strict_json import strict_json_loads


class Command(PlatformCommand):
    help = "Open the accounts of book documents in a tenant, all of them or none; load a snapshot before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="+", type=Path, metavar="FILE", help="a book document, or an array of them"
        )
        parser.add_argument("--tenant", required=True, help="slug of the tenant that gets the accounts")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = selectors.tenant_get(slug=options["tenant"])
        sources, accounts = [], []
        for file in options["files"]:
            for place, account in _accounts(file):
                sources.append(f"{file}: {place}")
                accounts.append(account)
        try:
            ids = accounts_load(
                tenant_id=tenant.pk, documents=accounts, actor=self.actor, now=timezone.now(), path=""
            )
        except ValidationFailed as error:
            lines = (_located(fault, sources) for fault in error.errors)
            raise CommandError("\n".join(lines), returncode=BAD_INPUT) from error
        self.stdout.write(f"{len(ids)} accounts opened in {tenant.slug}")


def _accounts(file: Path) -> list[tuple[str, dict[str, Any]]]:
    """The account part of each book of a file, its methodology among its members, and where it stands."""
    try:
        content = strict_json_loads(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", returncode=BAD_INPUT) from error
    except ValidationFailed as error:
        raise CommandError(f"{file}: {error}", returncode=BAD_INPUT) from error
    books = enumerate(content) if isinstance(content, list) else [(None, content)]
    return [_account(file, "" if index is None else f"[{index}].", book) for index, book in books]


def _account(file: Path, prefix: str, book: object) -> tuple[str, dict[str, Any]]:
    match book:
        case {"account": dict(account), "methodology": str(methodology)}:
            return f"{prefix}account", {**account, "methodology": methodology}
    raise CommandError(f"{file}: {prefix}account: is missing, or the methodology is", returncode=BAD_INPUT)


def _located(fault: FieldError, sources: list[str]) -> str:
    """``[3].orders[0].side`` of the load is ``account.orders[0].side`` of some file."""
    index, _, rest = fault.path.removeprefix("[").partition("]")
    path = f"{sources[int(index)]}{rest}"
    # The methodology stands beside the account, not in it.
    return f"{path.replace('account.methodology', 'methodology')}: {fault.message}"
