"""How two snapshots differ, why, and which differences are reported."""
