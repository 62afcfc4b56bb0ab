"""The demo's way in: a link that works once, from this machine only."""

from ipaddress import ip_address

from django.contrib.auth import get_user_model, login
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_otp import login as otp_login
from django_otp.plugins.otp_totp.models import TOTPDevice

USERNAME = "demo"


def login_path() -> str:
    """The path that logs the demo's user in; it stops working once it, or a later one, was used."""
    user = get_user_model().objects.get(username=USERNAME)
    return reverse("demo-login", args=[default_token_generator.make_token(user)])


@transaction.atomic
def login_once(request: HttpRequest, token: str) -> HttpResponse:
    """Log the demo's user in. The token hashes the last login, so that a second use finds it void.

    The link stands for both factors: whoever can read it runs the demo on this very machine.
    """
    user = get_user_model().objects.select_for_update().filter(username=USERNAME).first()
    local = ip_address(request.META["REMOTE_ADDR"]).is_loopback
    if user is None or not local or not default_token_generator.check_token(user, token):
        raise Http404
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    otp_login(request, TOTPDevice.objects.get_or_create(user=user, name=USERNAME, confirmed=True)[0])
    return redirect("admin:index")
