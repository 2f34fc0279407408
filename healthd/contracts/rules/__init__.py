"""What can be wrong with an expectation: one file for each rule, which yields findings about one model."""

from collections.abc import Callable, Iterable

from healthd.contracts.actual_schema import Believer, There
from healthd.contracts.rules import columns, enums, nulls, types
from healthd.model.findings import Finding

Rule = Callable[[Believer, There], Iterable[Finding]]
RULES: tuple[Rule, ...] = (columns.rule, types.rule, nulls.rule, enums.rule)
