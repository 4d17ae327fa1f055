"""What must be true when people have stopped and passes have nothing to do any more (design.md 3)."""

from typing import Any

from vmh_sync.children.difference import keeps_apart
from vmh_sync.children.kind import ACTIVE
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.pairs.links import Link
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.values import alike, is_empty
from vmh_sync_tests.property.children.game import ChildGame


def check_agreement(game: ChildGame) -> None:
    """Both sides say the same, or a task, or the record itself, says where they do not and why."""
    links, here = game.links(), game.here()
    for espo_id, record in here.items():
        link = game.firm.links(game.kind.entity).get(espo_id)
        if link is None or link.betnr != game.betnr:
            assert record[ACTIVE] is False or record["syncErrorMessage"], f"{espo_id}: left alone without a word"
        elif link.state == "active":
            _check_pair(game, link, record)
        else:
            assert link.state == "deleted_in_advoware"
            _check_gone_there(game, link, record)
    for espo_id, link in links.items():
        if game.firm.crm_row(game.kind.espo_entity, espo_id) is None:
            _check_gone_here(game, link)
    _check_imported(game)


def check_nothing_is_doubled(game: ChildGame) -> None:
    """One here is at most one there: what we made in Advoware, and what we made in EspoCRM."""
    links = game.links()
    retired = {key for link in links.values() for key in link.notes.retired}
    marks = [mark for key, row in game.there().items() if key not in retired and (mark := _mark(game, row))]
    assert len(marks) == len(set(marks)), "one here, two over there"
    keys = [record[game.kind.key_attribute] for record in game.everywhere().values()]
    known = [key for key in keys if key is not None]
    assert len(known) == len(set(known)), "one over there, two here"
    for natural in _made_twice(game):
        raise AssertionError(f"{natural}: created twice in Advoware")


def _mark(game: ChildGame, row: dict[str, Any]) -> str | None:
    return game.kind.marked_for(game.child.model.model_validate(row).model_dump())


def _made_twice(game: ChildGame) -> list[tuple[str, ...]]:
    """Return what our own POSTs made more than once and people did not change since."""
    made: list[tuple[str, ...]] = []
    linked = {str(link.advoware_id) for link in game.links().values()}
    for key, row in game.there().items():
        natural = game.kind.natural_key(game.fields_there(row))
        if (game.kind.advoware_entity, key) in game.firm.made_by_us and key not in linked and natural is not None:
            made.append(natural)
    return [natural for natural in set(made) if made.count(natural) > 1]


def _check_pair(game: ChildGame, link: Link, record: dict[str, Any]) -> None:
    espo_id, key = link.espo_id, str(link.advoware_id)
    there = game.there()
    assert key in there
    mine, theirs = game.fields_here(record), game.fields_there(there[key])
    if record[ACTIVE] and link.notes.active is False:
        assert record["syncErrorMessage"], "it waits to be created anew and does not say why"
        return
    rows = _rows(game, espo_id)
    excused = {name for row in rows for name in row.fields}
    problems = {problem.field for problem in game.kind.problems(mine)}
    assert not problems or record["syncErrorMessage"]
    for rule in game.kind.table.rules:
        agree = alike(rule.kind, mine.get(rule.name), theirs.get(rule.name))
        assert agree or rule.name in excused | problems, f"{espo_id}: {rule.name} differs and nobody says so"
    assert str(record[game.kind.key_attribute]) == key
    apart = {name for row in rows for name in row.fields if keeps_apart(game.kind, row.kind, row.details)}
    if not problems:
        assert bool(record["syncErrorMessage"]) == bool(apart)


def _check_gone_there(game: ChildGame, link: Link, record: dict[str, Any]) -> None:
    # Back in Advoware, ended, and reactivated here: it would have to be created anew, and may be refused.
    assert str(link.advoware_id) not in game.there() or record["syncErrorMessage"]
    waits = any(row.kind == TaskKind.ADDRESS_REACTIVATE for row in _rows(game, link.espo_id))
    assert record[ACTIVE] is False or waits or record["syncErrorMessage"]


def _check_gone_here(game: ChildGame, link: Link) -> None:
    assert link.state == "deleted_in_espocrm"
    there = game.there().get(str(link.advoware_id))
    waits = any(row.kind == game.kind.delete_task for row in _rows(game, link.espo_id))
    today = game.firm.world.clock.now().date()
    valid = there is not None and game.kind.valid(game.child.model.model_validate(there).model_dump(), today)
    assert waits or not valid


def _check_imported(game: ChildGame) -> None:
    links = game.links()
    linked = {str(link.advoware_id) for link in links.values()}
    retired = {key for link in links.values() for key in link.notes.retired}
    if not game.kind.imports(game.firm.world.rules):
        return
    for key, row in game.there().items():
        said = any(not is_empty(value) and value is not False for value in game.fields_there(row).values())
        assert key in linked | retired or not said, f"{key}: typed in Advoware and not imported"


def _rows(game: ChildGame, espo_id: str) -> list[ManualTask]:
    return [row for row in game.firm.tasks() if row.espo_id == espo_id and row.espo_task_id is not None]
