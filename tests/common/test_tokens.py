import hashlib
import hmac

import pytest
from pytest_django import Settings

from pmplatform.common.tokens import token_generate, token_parse


def test_a_token_is_read_back_from_its_text() -> None:
    token = token_generate()
    assert token_parse(token.text) == token
    assert token.text.startswith(f"pm_{token.public_id}.")


def test_the_digest_is_an_hmac_under_the_pepper(settings: Settings) -> None:
    token = token_generate()
    expected = hmac.new(settings.PM_TOKEN_PEPPER.encode(), token.text.encode(), hashlib.sha256).hexdigest()
    assert token.digest == expected
    assert token.matches(expected)


def test_another_pepper_or_secret_does_not_match(settings: Settings) -> None:
    token = token_generate()
    digest = token.digest
    assert not token_generate().matches(digest)
    settings.PM_TOKEN_PEPPER = "another pepper"
    assert not token.matches(digest)


@pytest.mark.parametrize(
    "text", ["", "pm_", "pm_1.2", "pm_0123456789abcdef.", "xx_0123456789abcdef." + "a" * 43]
)
def test_what_has_no_form_of_a_token_is_none(text: str) -> None:
    assert token_parse(text) is None


def test_in_a_rotation_tokens_of_the_pepper_before_stay_good(settings: Settings) -> None:
    token = token_generate()
    digest = token.digest
    settings.PM_TOKEN_PEPPER, settings.PM_TOKEN_PEPPER_PREVIOUS = "another", settings.PM_TOKEN_PEPPER
    assert token.matches(digest)
    assert token.matches(token.digest)
    settings.PM_TOKEN_PEPPER_PREVIOUS = None
    assert not token.matches(digest)
