"""For any ASGI application: responses, metrics and log lines for errors of its database."""

from healthd.asgi.middleware import Answers, problem
from healthd.asgi.timing import time_queries
from healthd.asgi.trouble import Trouble

__all__ = ["Answers", "Trouble", "problem", "time_queries"]
