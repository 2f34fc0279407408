"""For any ASGI application: errors of the database answered, counted, timed and logged in one way."""

from healthd.asgi.middleware import Answers, problem
from healthd.asgi.timing import time_queries
from healthd.asgi.trouble import Trouble

__all__ = ["Answers", "Trouble", "problem", "time_queries"]
