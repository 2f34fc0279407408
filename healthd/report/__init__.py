"""Who hears of it: one report as a page, as JSON, as metrics, as log lines."""
