# Importing the application here makes it the default one, which is how `shared_task` finds its broker
# in every process that loads Django, not only in workers.
from pmplatform.celery import app as celery_app

__all__ = ["celery_app"]
