"""What can go wrong with our own database. The messages carry ids and names, never stored values."""


class StoreError(Exception):
    """Any failure of our own database."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or did not become free in time; trying again later may succeed."""


class ConstraintViolated(StoreError):
    """A row breaks a rule of the schema."""


class StaleRow(StoreError):
    """The row was changed by somebody else since it was read: read again, plan again."""


class StaleLink(StaleRow):
    """The link was changed by somebody else since it was read: read again, plan again."""


class LinkTaken(ConstraintViolated):
    """Another living link already stands for this EspoCRM record or this Advoware record."""


class PairTaken(ConstraintViolated):
    """Another living pair of this employee already stands for this frNr or this event."""


class SchemaOutdated(StoreError):
    """The database was not migrated to what this version of the product needs."""


class SchemaNewer(StoreError):
    """A newer version of the product has changed the database: this one cannot use it, and never turns it back."""
