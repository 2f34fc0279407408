"""From differences to SQL: one script in an order that works, which says what it would lose."""
