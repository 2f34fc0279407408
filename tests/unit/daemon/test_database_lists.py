"""The lists of databases that a daemon knows: kept while a server does not answer, and forgotten with their server."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from healthd.config.settings import Settings, Target
from healthd.daemon.database_lists import DatabaseLists, watched_groups
from healthd.database.dsn import Dsn
from healthd.database.idle_connections import Places
from healthd.model.findings import Report

EU = Target("eu", "host=eu.db dbname=postgres", databases=("shop_*",))
MEMBER = Target("eu/shop_1", "host=eu.db dbname=shop_1", group="eu")


def settings(*groups: Target) -> Settings:
    return Settings(None, (Path("sql"),), Path("sql/schema.lock"), Path("data"), groups=groups)


def names(found: Settings) -> list[str]:
    return [one.name for one in found.targets]


def test_the_last_list_stays_and_applies_to_new_patterns() -> None:
    lists = DatabaseLists()
    assert ([], frozenset({"eu"})) == (names(lists.expanded(settings(EU))), lists.unknown)
    lists.learn(EU, ("shop_1", "crm"))

    assert ["eu/shop_1"] == names(lists.expanded(settings(EU)))
    assert ["eu/crm"] == names(lists.expanded(settings(replace(EU, databases=("crm",)))))
    assert frozenset() == lists.unknown


def test_the_list_of_another_server_is_forgotten() -> None:
    lists = DatabaseLists()
    lists.learn(EU, ("shop_1",))

    assert [] == names(lists.expanded(settings(replace(EU, dsn="host=us.db dbname=postgres"))))
    assert [] == names(lists.expanded(settings(EU)))


def test_a_list_is_read_at_each_interval_and_at_least_once_a_minute() -> None:
    groups = watched_groups(settings(replace(EU, interval_s=7.0), replace(EU, interval_s=3600.0)))

    assert [7.0, 60.0] == [one.interval_s for one in groups]


async def test_a_group_rests_until_its_list_is_wanted() -> None:
    lists = DatabaseLists()
    lists.expanded(settings(EU))
    rest = asyncio.create_task(lists.rest(EU, 1000.0))
    await asyncio.sleep(0)
    lists.want("eu", "nosuch")

    assert await rest
    assert await lists.rest(EU, 0.0)  # it is wanted once
    assert not lists.wanted["eu"].is_set()
    assert not await lists.rest(MEMBER, 1000.0)


def test_a_database_may_be_gone_if_it_cannot_be_reached_and_its_list_is_wanted() -> None:
    lists = DatabaseLists()
    lists.expanded(settings(EU))
    failed = Report(
        target="eu/shop_1", started_at=datetime.now(UTC), duration_s=0.0, findings=(), failure="unreachable"
    )

    assert not lists.may_lack(replace(MEMBER, group=""), failed)
    assert not lists.may_lack(MEMBER, replace(failed, failure="denied"))
    assert not lists.wanted["eu"].is_set()
    assert lists.may_lack(MEMBER, failed)
    assert lists.wanted["eu"].is_set()


def test_the_connections_of_databases_that_come_and_go_are_not_kept() -> None:
    places = Places()
    places.expect([("host=a dbname=x", ("a:5432",)), (MEMBER.dsn, ("eu.db:5432",))], [MEMBER.dsn])

    assert (True, False) == (places.keeps("host=a dbname=x"), places.keeps(Dsn.of(MEMBER.dsn)))
