from django.db import models
from django.utils import timezone


class IdempotencyRecord(models.Model):
    """The answer given to one ``Idempotency-Key`` of one principal.

    Written in the transaction of the effect, so that either both exist or neither does.
    ``response`` is the body as it was sent.
    """

    principal = models.CharField(max_length=160)
    key = models.CharField(max_length=128)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    response = models.BinaryField(default=b"")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["principal", "key"], name="idempotency_key_once"),)
        verbose_name = "idempotency record"

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
