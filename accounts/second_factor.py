"""Who needs a second factor: every member of the staff that may do more than look."""

from typing import Any, Final

_LOOKING: Final = "view_"


def second_factor_needed(user: Any) -> bool:
    """Whether a person's permissions, of whichever role, go beyond looking."""
    return user.is_superuser or not all(
        name.partition(".")[2].startswith(_LOOKING) for name in user.get_all_permissions()
    )


def second_factor_missing(user: Any) -> bool:
    """Whether a session has come in by password alone where that does not do."""
    return not user.is_verified() and second_factor_needed(user)
