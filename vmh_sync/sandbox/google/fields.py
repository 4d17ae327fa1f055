"""``fields=``: the parts of an answer that were asked for, in Google's notation (``items(id,start/date),etag``)."""

from typing import Any

from vmh_sync.sandbox.google.errors import ApiError, invalid_parameter

Json = dict[str, Any]
Tree = dict[str, "Tree"]


def partial(body: Json, selection: str) -> Json:
    """Return what ``selection`` asks for of an answer. Raises 400 for a selection that cannot be read."""
    tree, rest = _read(selection, 0)
    if rest != len(selection) or not tree:
        raise _unreadable(selection)
    return dict(_cut(body, tree))


def _cut(value: Any, tree: Tree) -> Any:
    if not tree or "*" in tree:
        return value
    if isinstance(value, list):
        return [_cut(one, tree) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _cut(part, tree[name]) for name, part in value.items() if name in tree}


def _read(text: str, at: int) -> tuple[Tree, int]:
    """Read names separated by commas, each with what is wanted below it, up to the end or a closing bracket."""
    tree: Tree = {}
    while True:
        below, at = _one(text, at)
        _merge(tree, below)
        if at >= len(text) or text[at] != ",":
            return tree, at
        at += 1


def _one(text: str, at: int) -> tuple[Tree, int]:
    end = at
    while end < len(text) and (text[end].isalnum() or text[end] in "_*"):
        end += 1
    name = text[at:end]
    if not name:
        raise _unreadable(text)
    if end < len(text) and text[end] == "/":
        below, end = _one(text, end + 1)
        return {name: below}, end
    if end < len(text) and text[end] == "(":
        below, end = _read(text, end + 1)
        if end >= len(text) or text[end] != ")":
            raise _unreadable(text)
        return {name: below}, end + 1
    return {name: {}}, end


def _merge(tree: Tree, more: Tree) -> None:
    for name, below in more.items():
        known = tree.get(name)
        if known is None:
            tree[name] = below
        elif known and below:
            _merge(known, below)
        else:
            tree[name] = {}  # wanted as a whole by one of both


def _unreadable(selection: str) -> ApiError:
    return invalid_parameter(f"Invalid field selection {selection}", "fields")
