"""container/kubernetes/prometheusrule.yaml: the alert rules of prometheus/ as a resource of the Prometheus Operator."""

from pathlib import Path

RULES = Path(__file__).parents[2] / "prometheus" / "healthd.rules.yml"
HEAD = """\
# For the Prometheus Operator: the rules of prometheus/healthd.rules.yml, which this file is made from (make docs).
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: healthd
spec:
"""


def prometheus_rule() -> str:
    """Return the resource; the groups are those of the file, further to the right."""
    groups = "groups:" + RULES.read_text(encoding="utf-8").partition("\ngroups:")[2]
    return HEAD + "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))
