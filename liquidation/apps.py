from django.apps import AppConfig


class LiquidationConfig(AppConfig):
    name = "liquidation"
    verbose_name = "Liquidation"
    default_auto_field = "django.db.models.BigAutoField"
