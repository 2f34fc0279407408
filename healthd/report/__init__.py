"""The outputs: a report as a page, as JSON, as metrics and as log lines."""
