"""Options of foreign tables and their columns: how they are read, and the SQL that changes them."""


def generic_options(expected: tuple[str, ...], actual: tuple[str, ...]) -> str:
    """Return the OPTIONS clause that changes options (each `name 'value'`) from actual to expected."""
    wanted, there = (dict(_option(one) for one in side) for side in (expected, actual))
    steps = [f"DROP {name}" for name in there if name not in wanted]
    for name, value in wanted.items():
        if there.get(name) != value:
            steps.append(f"{'SET' if name in there else 'ADD'} {name} {value}")
    return f"OPTIONS ({', '.join(steps)})"


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition(" '")
    return name, f"'{value}"


def generic(options: str) -> str:
    """Return the SQL for the options of a foreign table or column (a text[] of name=value), sorted by name."""
    return f"""CASE WHEN {options} IS NOT NULL
                    THEN ARRAY(SELECT pg_catalog.quote_ident(o.option_name) || ' '
                                          || '''' || pg_catalog.replace(o.option_value, '''', '''''') || ''''
                                 FROM pg_catalog.pg_options_to_table({options}) AS o
                                ORDER BY o.option_name)
                    ELSE '{{}}' END"""
