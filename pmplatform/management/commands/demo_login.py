from typing import Any

from pmplatform.common.commands import PlatformCommand
from pmplatform.demo.login import login_path


class Command(PlatformCommand):
    help = "Print the path of a link that logs into the demo's console once, from this machine."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(login_path())
