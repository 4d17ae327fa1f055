"""Texts that leave the product (to EspoCRM, Dagster, the log) must be encodable, whatever they were made of. Pure."""


def encodable(text: str) -> str:
    """Return the text with every character that UTF-8 or PostgreSQL cannot hold replaced by ``�``."""
    return text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


_NO_NAME = str.maketrans({"<": "\u2039", ">": "\u203a", "=": "\uff1d"})


def nameable(text: str) -> str:
    """Return the text as EspoCRM takes it for a name, whose pattern refuses ``< > =``: with what looks like them."""
    return text.translate(_NO_NAME)
