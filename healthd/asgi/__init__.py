"""For any ASGI application: errors of the database answered, counted, timed and logged in one way."""

from healthd.asgi.middleware import Answers
from healthd.asgi.timing import time_queries
from healthd.asgi.trouble import Trouble

__all__ = ["Answers", "Trouble", "time_queries"]
