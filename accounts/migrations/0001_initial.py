import re

import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.models.tenant
import pmplatform.common.fields
from pmplatform.common.triggers import append_only


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("common", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Instrument",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=64, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("spot", "Spot"),
                            ("perpetual", "Perpetual"),
                            ("future", "Future"),
                            ("option", "Option"),
                        ],
                        max_length=16,
                    ),
                ),
                ("underlying", models.CharField(max_length=16)),
                ("settle", models.CharField(max_length=16)),
                (
                    "style",
                    models.CharField(
                        blank=True,
                        choices=[("linear", "Linear"), ("inverse", "Inverse")],
                        max_length=16,
                        null=True,
                    ),
                ),
                ("contract_size", pmplatform.common.fields.AmountField()),
                ("expiry", models.DateTimeField(blank=True, null=True)),
                ("strike", pmplatform.common.fields.AmountField(blank=True, null=True)),
                (
                    "option_type",
                    models.CharField(
                        blank=True, choices=[("call", "Call"), ("put", "Put")], max_length=8, null=True
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("listed", "Listed"), ("expired", "Expired")],
                        default="listed",
                        max_length=16,
                    ),
                ),
            ],
            options={
                "ordering": ("code",),
                "indexes": [
                    models.Index(fields=["underlying", "code"], name="instrument_by_underlying"),
                    models.Index(fields=["state", "expiry"], name="instrument_by_expiry"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["spot", "perpetual", "future", "option"])),
                        name="instrument_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["listed", "expired"])),
                        name="instrument_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("contract_size__gt", 0)), name="instrument_contract_size_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "spot"), ("contract_size", 1), ("style__isnull", True)),
                            models.Q(
                                models.Q(("kind", "spot"), _negated=True),
                                ("style__in", ["linear", "inverse"]),
                                ("style__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="instrument_style_of_derivatives_only",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("style__isnull", True),
                            models.Q(("settle__in", ["USDT", "USDC"]), ("style", "linear")),
                            models.Q(("settle", models.F("underlying")), ("style", "inverse")),
                            _connector="OR",
                        ),
                        name="instrument_settle_fits_style",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["future", "option"]), ("expiry__isnull", False)),
                            models.Q(
                                models.Q(("kind__in", ["future", "option"]), _negated=True),
                                ("expiry__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="instrument_expiry_of_dated_only",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "option"),
                                ("option_type__isnull", False),
                                ("strike__gt", 0),
                                ("strike__isnull", False),
                                ("option_type__in", ["call", "put"]),
                            ),
                            models.Q(
                                models.Q(("kind", "option"), _negated=True),
                                ("option_type__isnull", True),
                                ("strike__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="instrument_strike_of_options_only",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "listed"), ("expiry__isnull", False), _connector="OR"),
                        name="instrument_undated_never_expires",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tenant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
                    models.CharField(
                        max_length=63,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                re.compile("^[-a-zA-Z0-9_]+\\Z"),
                                "Enter a valid “slug” consisting of letters, numbers, "
                                "underscores or hyphens.",
                                "invalid",
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ("slug",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "^[-a-zA-Z0-9_]+$")), name="tenant_slug_plain"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=64)),
                ("name", models.CharField(blank=True, max_length=200)),
                (
                    "methodology",
                    models.CharField(
                        choices=[
                            ("okx-2025", "OKX 2025"),
                            ("okx-classic", "OKX classic"),
                            ("bybit-uta", "Bybit UTA"),
                            ("standard", "Standard"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "margin_methodology",
                    models.CharField(
                        choices=[
                            ("okx-2025", "OKX 2025"),
                            ("okx-classic", "OKX classic"),
                            ("bybit-uta", "Bybit UTA"),
                            ("standard", "Standard"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "hedge_mode",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("spot_hedge", "Spot Hedge"),
                            ("derivatives_only", "Derivatives Only"),
                            ("spot_usdt", "Spot USDT"),
                            ("spot_usdc", "Spot USDC"),
                            ("spot_crypto", "Spot Crypto"),
                        ],
                        max_length=24,
                        null=True,
                    ),
                ),
                (
                    "eligibility_state",
                    models.CharField(
                        choices=[("standard", "Standard"), ("active", "Active"), ("suspended", "Suspended")],
                        default="standard",
                        max_length=16,
                    ),
                ),
                ("reduce_only", models.BooleanField(default=False)),
                ("in_liquidation", models.BooleanField(default=False)),
                ("ledger_position", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text=(
                            "Designates that this user has all permissions without explicitly assigning them."
                        ),
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text=(
                            "Designates whether this user should be treated as active. "
                            "Unselect this instead of deleting accounts."
                        ),
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined"),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text=(
                            "The groups this user belongs to. A user will get all "
                            "permissions granted to each of their groups."
                        ),
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="users",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
                "permissions": (
                    ("scope_trade", "Has the scope trade"),
                    ("scope_risk", "Has the scope risk"),
                    ("scope_parameters", "Has the scope parameters"),
                    ("scope_liquidation", "Has the scope liquidation"),
                ),
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="TenantGrant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "granted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="accounts.tenant",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "tenant grant",
            },
        ),
        migrations.CreateModel(
            name="Balance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=16)),
                ("amount", pmplatform.common.fields.AmountField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balances",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("currency",),
                "constraints": [
                    models.UniqueConstraint(fields=("account", "currency"), name="balance_once_per_currency")
                ],
            },
        ),
        migrations.CreateModel(
            name="HedgeLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("coin", models.CharField(max_length=16)),
                ("ratio", pmplatform.common.fields.AmountField(default=1)),
                ("max_amount", pmplatform.common.fields.AmountField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hedge_limits",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "hedge limit",
                "ordering": ("coin",),
                "constraints": [
                    models.UniqueConstraint(fields=("account", "coin"), name="hedge_limit_once_per_coin"),
                    models.CheckConstraint(
                        condition=models.Q(("ratio__gte", 0), ("ratio__lte", 1)),
                        name="hedge_limit_ratio_in_unit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("max_amount__isnull", True), ("max_amount__gte", 0), _connector="OR"
                        ),
                        name="hedge_limit_amount_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opening", "Opening"),
                            ("transfer", "Transfer"),
                            ("fill", "Fill"),
                            ("order", "Order"),
                            ("settlement", "Settlement"),
                            ("setting", "Setting"),
                            ("liquidation", "Liquidation"),
                        ],
                        max_length=16,
                    ),
                ),
                ("subject", models.CharField(max_length=96)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("by", models.CharField(max_length=150)),
                ("request_id", models.CharField(max_length=64)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "ledger entry",
                "verbose_name_plural": "ledger entries",
                "ordering": ("id",),
                "indexes": [models.Index(fields=["account", "id"], name="ledger_by_account")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "opening",
                                    "transfer",
                                    "fill",
                                    "order",
                                    "settlement",
                                    "setting",
                                    "liquidation",
                                ],
                            )
                        ),
                        name="ledger_kind_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("client_id", models.CharField(blank=True, max_length=64)),
                ("side", models.CharField(choices=[("buy", "Buy"), ("sell", "Sell")], max_length=8)),
                ("quantity", pmplatform.common.fields.AmountField()),
                ("open_quantity", pmplatform.common.fields.AmountField()),
                ("price", pmplatform.common.fields.AmountField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("filled", "Filled"), ("cancelled", "Cancelled")],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="accounts.account",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="accounts.instrument",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["account", "id"],
                        name="order_open_by_account",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("client_id", ""), _negated=True),
                        fields=("account", "client_id"),
                        name="order_client_id_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("side__in", ["buy", "sell"])), name="order_side_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0)), name="order_quantity_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price__gte", 0)), name="order_price_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("open_quantity__gte", 0), ("open_quantity__lte", models.F("quantity"))
                        ),
                        name="order_open_within_quantity",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("open_quantity__gt", 0), ("state", "open")),
                            models.Q(("open_quantity", 0), ("state", "filled")),
                            ("state", "cancelled"),
                            _connector="OR",
                        ),
                        name="order_state_fits_open_quantity",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Position",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", pmplatform.common.fields.AmountField()),
                ("entry_price", pmplatform.common.fields.AmountField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="positions",
                        to="accounts.account",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="positions",
                        to="accounts.instrument",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "instrument"), name="position_once_per_instrument"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity", 0), _negated=True), name="position_not_flat"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("entry_price__gte", 0)), name="position_entry_price_not_negative"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.CharField(max_length=32, unique=True)),
                ("digest", models.CharField(max_length=64)),
                ("name", models.CharField(blank=True, max_length=100)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("read", "read"),
                                ("trade", "trade"),
                                ("risk", "risk"),
                                ("parameters", "parameters"),
                                ("liquidation", "liquidation"),
                            ],
                            max_length=16,
                        ),
                        size=None,
                    ),
                ),
                (
                    "networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=49),
                        blank=True,
                        default=accounts.models.tenant._no_networks,
                        size=None,
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("expires_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=150)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tokens",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "ordering": ("-created_at",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__len__gt", 0),
                            ("scopes__contained_by", ["read", "trade", "risk", "parameters", "liquidation"]),
                        ),
                        name="api_token_scopes_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="api_token_digest_hex"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(fields=("tenant", "code"), name="account_code_once_in_tenant"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True), name="account_code_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("methodology__in", ["okx-2025", "okx-classic", "bybit-uta", "standard"])),
                name="account_methodology_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("margin_methodology__in", [models.F("methodology"), "standard"])),
                name="account_margined_by_choice_or_standard",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hedge_mode__isnull", True),
                    models.Q(
                        ("hedge_mode__in", ["spot_hedge"]),
                        ("hedge_mode__isnull", False),
                        ("methodology", "okx-2025"),
                    ),
                    models.Q(
                        ("hedge_mode__in", ["derivatives_only", "spot_crypto", "spot_usdc", "spot_usdt"]),
                        ("hedge_mode__isnull", False),
                        ("methodology", "okx-classic"),
                    ),
                    models.Q(
                        ("hedge_mode__in", ["derivatives_only", "spot_hedge"]),
                        ("hedge_mode__isnull", False),
                        ("methodology", "bybit-uta"),
                    ),
                    models.Q(
                        (
                            "hedge_mode__in",
                            ["derivatives_only", "spot_crypto", "spot_hedge", "spot_usdc", "spot_usdt"],
                        ),
                        ("hedge_mode__isnull", False),
                        ("methodology", "standard"),
                    ),
                    _connector="OR",
                ),
                name="account_hedge_mode_fits_methodology",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("eligibility_state__in", ["standard", "active", "suspended"])),
                name="account_eligibility_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("tenant__isnull", True), ("is_superuser", False), _connector="OR"),
                name="user_of_tenant_is_no_superuser",
            ),
        ),
        migrations.AddConstraint(
            model_name="tenantgrant",
            constraint=models.UniqueConstraint(fields=("user", "tenant"), name="tenant_grant_once"),
        ),
        migrations.AddConstraint(
            model_name="tenantgrant",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="tenant_grant_has_reason"
            ),
        ),
        append_only("accounts_ledgerentry"),
    ]
