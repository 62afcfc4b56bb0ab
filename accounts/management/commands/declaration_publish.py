from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts.declaration_files import shipped_declaration
from accounts.services.eligibility import declaration_publish
from pmplatform.common.commands import BAD_INPUT, PlatformCommand


class Command(PlatformCommand):
    help = "Publish a declaration of understanding: it is asked for at every enrolment from now on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="text whose name without suffix is its version (default: ours)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        version, text = _read(options["file"]) if options["file"] else shipped_declaration()
        declaration_publish(version=version, text=text, actor=self.actor, now=timezone.now())
        self.stdout.write(f"declaration {version} published")


def _read(file: Path) -> tuple[str, str]:
    try:
        return file.stem, file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: cannot be read: {error}", returncode=BAD_INPUT) from error
