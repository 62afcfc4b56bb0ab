"""Reading one variable: its forms, and the refusal of everything else."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pmplatform import environment


def test_a_value_and_a_file_for_the_same_variable_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="either NAME or NAME_FILE"):
        environment.text("NAME", {"NAME": "here", "NAME_FILE": str(tmp_path / "there")})


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="NAME_FILE cannot be read"):
        environment.text("NAME", {"NAME_FILE": str(tmp_path / "absent")})


def test_an_empty_value_is_no_value() -> None:
    assert environment.text("NAME", {"NAME": ""}) is None


@pytest.mark.parametrize(
    ("word", "meaning"), [("1", True), ("True", True), ("off", False), ("0", False), ("", False)]
)
def test_a_flag_is_yes_or_no(word: str, meaning: bool) -> None:
    assert environment.flag("NAME", {"NAME": word}) is meaning


def test_a_flag_that_says_anything_else_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="NAME must be true or false, not 'maybe'"):
        environment.flag("NAME", {"NAME": "maybe"})


def test_a_database_url_is_unquoted_into_its_parts() -> None:
    settings = environment.database("postgresql://risk%40desk:p%2Fw@db.example:6543/pm?sslmode=verify-full")
    expected = {"NAME": "pm", "USER": "risk@desk", "PASSWORD": "p/w", "HOST": "db.example", "PORT": "6543"}
    assert settings.items() >= expected.items()
    options = settings["OPTIONS"]
    assert isinstance(options, dict)
    assert options["sslmode"] == "verify-full"
    assert options["connect_timeout"] == "5"


@pytest.mark.parametrize("url", ["mysql://u@h/pm", "postgresql://u@h", "sqlite:///pm.db"])
def test_another_database_than_a_named_postgresql_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must look like"):
        environment.database(url)


@pytest.mark.parametrize("word", ["0", "-1", "1.5", "soon"])
def test_a_duration_is_a_positive_whole_number_of_seconds(word: str) -> None:
    assert environment.seconds("PM_X", {}, default=120).total_seconds() == 120
    assert environment.seconds("PM_X", {"PM_X": "5"}, default=120).total_seconds() == 5
    with pytest.raises(ImproperlyConfigured, match="PM_X"):
        environment.seconds("PM_X", {"PM_X": word}, default=120)


@pytest.mark.parametrize("word", ["0", "0.0", "-1", "1e3", "nan", "inf", ".5", "much"])
def test_a_number_is_a_positive_plain_decimal(word: str) -> None:
    assert environment.number("PM_X", {}, default=2.0) == 2.0
    assert environment.number("PM_X", {"PM_X": "0.1"}, default=2.0) == 0.1
    with pytest.raises(ImproperlyConfigured, match="PM_X"):
        environment.number("PM_X", {"PM_X": word}, default=2.0)
