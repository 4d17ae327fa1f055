"""Alembic migrations of our own database; run by :mod:`vmh_sync.store.database.migrate`."""
