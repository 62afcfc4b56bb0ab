import pytest
from django.core.management import call_command


@pytest.mark.django_db
@pytest.mark.parametrize("app", ["accounts", "common"])
def test_the_models_have_all_their_migrations(app: str) -> None:
    call_command("makemigrations", app, check=True, dry_run=True, verbosity=0)
