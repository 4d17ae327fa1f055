"""Calendar sync: Advoware Termine and one Google calendar per employee (specification, kalender.md)."""
