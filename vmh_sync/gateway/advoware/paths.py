"""Which paths the proxy may ask Advoware for (specification, http-endpoints.md 2). Pure."""

import re

API_PREFIX = ("api", "v1", "advonet")
LONGEST_PATH = 500

# A list of what is allowed, not of what is dangerous: no scheme, host, dot segment, percent sign, backslash, query,
# fragment, control or non-ASCII character can be spelt with it.
_SEGMENT = re.compile(r"[A-Za-z0-9_~(-][A-Za-z0-9_.~,()-]*")


class BadPath(ValueError):
    """The path is not a plain path below the API prefix."""


def segments_of(endpoint: str) -> tuple[str, ...]:
    """Return the segments below the API prefix of the path that a caller asks for. Raises :class:`BadPath`.

    ``endpoint`` is relative to the API base, with or without a slash in front and with or without ``api/v1/advonet/``;
    it was decoded once, as every query parameter is, so anything that is still encoded is refused.
    """
    if len(endpoint) > LONGEST_PATH:
        raise BadPath("the path is too long")
    segments = endpoint.removeprefix("/").split("/")
    if any(not _SEGMENT.fullmatch(segment) or ".." in segment for segment in segments):
        raise BadPath("endpoint must be a plain path below the API prefix")
    below = tuple(segments)
    if below[: len(API_PREFIX)] == API_PREFIX:
        below = below[len(API_PREFIX) :]
    if not below:
        raise BadPath("endpoint must name something below the API prefix")
    if below[0].lower() == API_PREFIX[0]:
        # Another API of the same host. Put below our prefix it would silently be another path.
        raise BadPath(f"endpoint leaves the API prefix {'/'.join(API_PREFIX)}/")
    return below
