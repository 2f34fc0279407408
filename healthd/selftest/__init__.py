"""Proof that the alarm rings: the schema of the files is damaged on a scratch server, and every damage is reported."""
