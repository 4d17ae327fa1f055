"""What must be true when people have stopped and passes have nothing to do any more (design.md 3)."""

from vmh_sync.children.difference import keeps_apart
from vmh_sync.children.kind import ACTIVE
from vmh_sync.store.links import Link
from vmh_sync.store.tasks import ManualTask
from vmh_sync.sync.plan import TaskKind
from vmh_sync.sync.values import is_empty, same
from vmh_sync_tests.property.children.world import World


def check_agreement(world: World) -> None:
    """Both sides say the same, or a task, or the record itself, says where they do not and why."""
    for espo_id in world.crm.listed():
        link = world.links.get(espo_id)
        if link is None:
            record = world.crm.records[espo_id]
            assert record[ACTIVE] is False or record["syncErrorMessage"], f"{espo_id}: left alone without a word"
        elif link.state == "active":
            _check_pair(world, link)
        else:
            assert link.state == "deleted_in_advoware"
            _check_gone_there(world, link)
    for espo_id, link in world.links.items():
        if espo_id not in world.crm.records:
            _check_gone_here(world, link)
    _check_imported(world)


def check_nothing_is_doubled(world: World) -> None:
    """One here is at most one there, also while passes are being killed."""
    retired = {str(key) for link in world.links.values() for key in link.extra.get("retired", ())}
    made = [i for key, i in world.office.made_for.items() if key in world.office.records and key not in retired]
    assert len(made) == len(set(made)), "one here, two over there"
    keys = [record[world.kind.key_attribute] for record in world.crm.records.values()]
    known = [key for key in keys if key is not None]
    assert len(known) == len(set(known)), "one over there, two here"


def _check_pair(world: World, link: Link) -> None:
    espo_id, key = link.espo_id, str(link.advoware_id)
    assert key in world.office.records
    here, there, record = world.here(espo_id), world.there(key), world.crm.records[espo_id]
    if record[ACTIVE] and link.extra.get("active") is False:
        assert record["syncErrorMessage"], "it waits to be created anew and does not say why"
        return
    excused = {name for row in _rows(world, espo_id) for name in row.fields}
    problems = {problem.field for problem in world.kind.problems(here)}
    assert not problems or record["syncErrorMessage"]
    for rule in world.table.rules:
        agree = same(rule.kind, here.get(rule.name), there.get(rule.name))
        assert agree or rule.name in excused | problems, f"{espo_id}: {rule.name} differs and nobody says so"
    assert str(record[world.kind.key_attribute]) == key
    apart = {
        name for row in _rows(world, espo_id) for name in row.fields if keeps_apart(world.kind, row.kind, row.details)
    }
    if not problems:
        assert bool(record["syncErrorMessage"]) == bool(apart)


def _check_gone_there(world: World, link: Link) -> None:
    record = world.crm.records[link.espo_id]
    # Back in Advoware, ended, and reactivated here: it would have to be created anew, and may be refused.
    assert link.advoware_id not in world.office.records or record["syncErrorMessage"]
    waits = any(row.kind == TaskKind.ADDRESS_REACTIVATE for row in _rows(world, link.espo_id))
    assert record[ACTIVE] is False or waits or record["syncErrorMessage"]


def _check_gone_here(world: World, link: Link) -> None:
    assert link.state == "deleted_in_espocrm"
    there = world.office.read(str(link.advoware_id)).model_dump()
    waits = any(row.kind == world.kind.delete_task for row in _rows(world, link.espo_id))
    assert waits or not world.kind.valid(there, world.memory().today)


def _check_imported(world: World) -> None:
    linked = {link.advoware_id for link in world.links.values()}
    retired = {key for link in world.links.values() for key in link.extra.get("retired", ())}
    if not world.kind.imports(world.rules):
        return
    for key in world.office.records:
        fields = world.there(key)
        said = any(not is_empty(value) and value is not False for value in fields.values())
        assert key in linked | retired or not said, f"{key}: typed in Advoware and not imported"


def _rows(world: World, espo_id: str) -> list[ManualTask]:
    return [row for row in world.tasks if row.espo_id == espo_id and row.espo_task_id is not None]
