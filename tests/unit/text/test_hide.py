"""Passwords are taken out of every text, however the connection string was spelled."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from healthd.text import hide

PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"], exclude_characters="'\\"), min_size=1)


@given(PASSWORDS)
def test_a_url_loses_its_password(password: str) -> None:
    url = f"postgresql://me:{quote(password, safe='')}@db.example:5432/app?sslmode=require"
    assert password == conninfo_to_dict(url)["password"]

    assert f"cannot read {'postgresql://me:***@db.example:5432/app?sslmode=require'} at all" == hide(
        f"cannot read {url} at all"
    )


@given(PASSWORDS)
def test_a_url_loses_a_password_among_its_parameters(password: str) -> None:
    url = f"postgresql://db.example/app?user=me&password={quote(password, safe='')}&sslmode=require"
    assert password == conninfo_to_dict(url)["password"]

    assert "postgresql://db.example/app?user=me&password=***&sslmode=require" == hide(url)


@given(PASSWORDS)
def test_key_value_text_loses_its_password_with_spaces_quotes_and_backslashes(password: str) -> None:
    escaped = password.replace("\\", "\\\\").replace("'", "\\'")
    text = f"host=db password = '{escaped}' dbname=app"
    assert password == conninfo_to_dict(text)["password"]

    assert "host=db password = *** dbname=app" == hide(text)


@given(PLAIN)
def test_key_value_text_loses_a_password_without_quotes(password: str) -> None:
    text = f"host=db password={password} dbname=app"
    assert password == conninfo_to_dict(text)["password"]

    assert "host=db password=*** dbname=app" == hide(text)


@given(PASSWORDS)
@example('"')
def test_what_psycopg_makes_of_a_password_loses_it(password: str) -> None:
    assert "password=*** dbname=app" == hide(make_conninfo(password=password, dbname="app"))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql+psycopg://me:geheim@h/db", "postgresql+psycopg://me:***@h/db"),
        ("postgresql://:geheim@h/db", "postgresql://:***@h/db"),
        ("postgresql://me:gehe@im@h/db", "postgresql://me:***@h/db"),
        ("postgresql://me:ge/he?im@h/db", "postgresql://me:***@h/db"),
        ("postgresql://me:a:b@h/db and more", "postgresql://me:***@h/db and more"),
        (r"password=ge\ heim host=h", "password=*** host=h"),
        ("password='never ends", "password=***"),
        ("PGPASSWORD=geheim psql", "PGPASSWORD=*** psql"),
        ('PGPASSWORD="ge heim" psql', "PGPASSWORD=*** psql"),
        ('password="ge"heim host=h', "password=*** host=h"),
        ("password=geheim\\", "password=***"),
        ("sslpassword=geheim", "sslpassword=***"),
        ("oauth_client_secret='ge heim' host=h", "oauth_client_secret=*** host=h"),
        ("scram_client_key=geheim", "scram_client_key=***"),
        ("postgresql://h/db?scram_server_key=geheim&a=b", "postgresql://h/db?scram_server_key=***&a=b"),
        ("{'user': 'me', 'password': 'ge heim'}", "{'user': 'me', 'password': ***}"),
        ('{"password": "ge\\"heim", "user": 1}', '{"password": ***, "user": 1}'),
        ("no such file: postgresql:/me:geheim@h/db", "no such file: postgresql:/me:***@h/db"),
        ("ALTER ROLE me PASSWORD E'ge\\'heim' LOGIN", "ALTER ROLE me PASSWORD *** LOGIN"),
        ("ALTER ROLE me PASSWORD U&'geheim' LOGIN", "ALTER ROLE me PASSWORD *** LOGIN"),
        ("ALTER ROLE me PASSWORD $$ge'heim$$ LOGIN", "ALTER ROLE me PASSWORD *** LOGIN"),
        ("ALTER ROLE me PASSWORD $x$ge'heim, cut", "ALTER ROLE me PASSWORD ***"),
        ("CREATE USER me LOGIN PASSWORD geheim; next", "CREATE USER me LOGIN PASSWORD ***; next"),
        ('create role me password "ge heim" login', "create role me password *** login"),
    ],
)
def test_other_spellings_lose_it_too(text: str, hidden: str) -> None:
    assert hidden == hide(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me@h:5432/db?host=%2Ftmp&port=5432",
        'FATAL: password authentication failed for user "me"',
        "fe_sendauth: no password supplied",
        "passfile=/etc/pgpass host=h",
        "see http://127.0.0.1:9899/targets/app",
        "column:public.users.password_hash is missing",
        "ALTER ROLE me PASSWORD NULL",
        "CREATE TABLE user (id int, password text NOT NULL)",
        "ALTER TABLE users ADD COLUMN password text",
        "cannot read /etc/healthd/yoyo.ini:3: a@b",
    ],
)
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert text == hide(text)


@given(st.text())
def test_hiding_twice_hides_nothing_more(text: str) -> None:
    assert hide(text) == hide(hide(text))
