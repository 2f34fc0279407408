"""What a reading means: what differs, why, and what of it is worth telling."""
