"""Which differences are a platform's: what it made, what it granted, and what it took away; never what is missing."""

from __future__ import annotations

from collections.abc import Iterable

from healthd.catalog.schema_members import schema_of
from healthd.comparison.privileges import PRIVILEGES
from healthd.model.names import Key
from healthd.model.profiles import Profile
from healthd.model.snapshots import UNREADABLE, Difference
from healthd.model.waivers import matches

# Objects without a schema that a platform may own although the files create them: extensions need a superuser.
SERVED = frozenset({"extension", "language", "event_trigger", "publication"})


def is_of(profile: Profile, one: Difference) -> bool:
    """Return whether a difference is due to a platform: an object or a privilege that is there and is not expected.

    Where the files expect an object, or grant something to this role on this object, they decide.
    """
    if one.attribute == UNREADABLE:
        return False
    if one.key.kind == "owner":
        return _owns(profile, one)
    if _took(profile, one):
        return True
    gained = one.key.kind in PRIVILEGES and one.attribute == "privileges" and not one.expected
    return (one.unexpected or gained) and (_made(profile, one.key) or _any(profile.objects, str(one.key)))


def _owns(profile: Profile, one: Difference) -> bool:
    """Return whether the platform owns an object that it made, or that only it may own."""
    thing = Key(one.key.path[0], one.key.path[1:])
    if one.unexpected and _any(profile.schemas, schema_of(thing)):
        return True
    role = one.actual if one.attribute else getattr(one.actual, "role", None)
    served = thing.kind in SERVED or thing == Key("schema", ("public",)) or _any(profile.schemas, schema_of(thing))
    return role in profile.roles and served


def _took(profile: Profile, one: Difference) -> bool:
    """Return whether privileges were lost, and no other gained, that the platform takes away."""
    if one.key.kind != "grant" or one.attribute != "privileges" or not _any(profile.revoked, str(one.key)):
        return False
    return set(one.actual) < set(one.expected)


def _made(profile: Profile, key: Key) -> bool:
    """Return whether a key names something that the platform makes."""
    if key.kind == "default_privileges":
        whose, _, *schema, grantee = key.path
        return whose in profile.roles or _granted(profile, grantee, schema[0] if schema else None)
    if key.kind == "grant":
        return _granted(profile, key.path[-1], schema_of(Key(key.path[0], key.path[1:-1])))
    named = {"extension": profile.extensions, "event_trigger": profile.event_triggers}
    named |= dict.fromkeys(("publication", "publication_table"), profile.publications)
    if key.kind in named:
        return key.path[0] in named[key.kind]
    return _any(profile.schemas, schema_of(key))


def _granted(profile: Profile, grantee: str, schema: str | None) -> bool:
    """Return whether the platform grants a role privileges in a schema; None is for objects without a schema."""
    if grantee in profile.roles or _any(profile.schemas, schema):
        return True
    return grantee in profile.grantees and schema == "public"


def _any(patterns: Iterable[str], text: str | None) -> bool:
    return text is not None and any(matches(pattern, text) for pattern in patterns)
