"""The second factor at the door: a code of an authenticator, which is taken on at the first entry."""

from collections.abc import Mapping
from typing import Any

import segno
from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import login as otp_login
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import INPUT_CLASSES

from pmplatform.common.admin import admin_actor
from pmplatform.common.audit import audit_append

_NAME = "authenticator"


class CodeForm(forms.Form):
    """The six digits; a wrong code makes the device wait before it looks at the next."""

    code = forms.CharField(
        label="Code of your authenticator",
        max_length=6,
        validators=[RegexValidator(r"^\d{6}$", "A code has six digits.")],
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
                "class": " ".join(INPUT_CLASSES),
            }
        ),
    )

    def __init__(self, device: TOTPDevice, data: Mapping[str, Any] | None) -> None:
        super().__init__(data)
        self._device = device

    def clean_code(self) -> str:
        """Refused while the device is throttled, too, whatever the code."""
        allowed, wait = self._device.verify_is_allowed()
        if not allowed:
            until = wait["locked_until"]
            raise forms.ValidationError(f"Too many wrong codes. Try again after {until:%H:%M:%S} UTC.")
        if not self._device.verify_token(self.cleaned_data["code"]):
            raise forms.ValidationError("This code is wrong, or was used before. Wait for the next one.")
        return str(self.cleaned_data["code"])


@sensitive_post_parameters("code")
@never_cache
@login_required(login_url="admin:login")
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for a code; show the secret first to who has no confirmed authenticator yet."""
    device = _device(request)
    form = CodeForm(device, request.POST if request.method == "POST" else None)
    if form.is_valid():
        _enter(request, device)
        return redirect(_next(request))
    context = {
        **admin.site.each_context(request),
        "title": "Second factor",
        "form": form,
        "device": device,
        "qr": "" if device.confirmed else segno.make(device.config_url).svg_inline(scale=5, omitsize=True),
        "secret": "" if device.confirmed else _spaced(device),
        "app_path": request.get_full_path(),
    }
    return TemplateResponse(request, "console/second_factor.html", context)


def _device(request: HttpRequest) -> TOTPDevice:
    """The person's confirmed authenticator, or the one that is being set up."""
    user = get_user_model().objects.get_by_natural_key(request.user.get_username())
    confirmed = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return confirmed or TOTPDevice.objects.get_or_create(user=user, confirmed=False, name=_NAME)[0]


def _enter(request: HttpRequest, device: TOTPDevice) -> None:
    if not device.confirmed:
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        audit_append(
            actor=admin_actor(request),
            action="second_factor.confirm",
            object_type="user",
            object_id=device.user_id,
            tenant_id=None,
        )
    request.session.cycle_key()
    otp_login(request, device)


def _next(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=hosts, require_https=request.is_secure()):
        return wanted
    return reverse("admin:index")


def _spaced(device: TOTPDevice) -> str:
    """The secret for typing, in groups of four."""
    text = device.config_url.partition("secret=")[2].partition("&")[0]
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))
