"""Profiles: what a platform makes in every database, and what is therefore not reported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """What one platform makes. Names of schemas, and the patterns of keys, may contain * and ?.

    `roles` are the platform's own: what they are granted, and what they will be granted, is the platform's.
    `grantees` are roles of applications to which the platform grants privileges on everything in schema `public`.
    `objects` are keys of other objects; `revoked` are keys of privileges that the platform takes away.
    """

    name: str
    title: str
    roles: tuple[str, ...] = ()
    grantees: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    event_triggers: tuple[str, ...] = ()
    publications: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
