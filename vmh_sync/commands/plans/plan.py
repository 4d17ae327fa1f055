"""``vmh-sync plan show | list | apply``: what they do."""

import getpass
from collections.abc import Mapping
from typing import Any

from vmh_sync.clock import SystemClock
from vmh_sync.commands.passes.pass_progress import shown_pass
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import PassFailed, SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail, fail_pass, firm_time, print_json, print_summary
from vmh_sync.commands.screens.screen import print_rows, screen
from vmh_sync.engine.passes.approved_plan import NoPlan, StoredPlan, all_plans, approve_plan, read_plan, reject_plan
from vmh_sync.engine.passes.opening import open_migrated
from vmh_sync.entities import KALENDER
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import Store
from vmh_sync.sync.reporting.outcome import PassSummary
from vmh_sync.sync.reporting.plan_in_words import HEADINGS, in_words


def _store() -> Store:
    return open_migrated(load(VmhSettings))


def show_all(*, as_json: bool) -> None:
    """Print the stored plans, newest first."""
    with _store() as store:
        plans = all_plans(store)
    if as_json:
        print_json({"plans": [_json(plan) for plan in plans]})
        return
    console = screen()
    if not plans:
        console.print("Kein Plan ist gespeichert. `vmh-sync sync beteiligte … --dry-run --save` speichert einen.")
        return
    rows = [
        (plan.id, plan.entity, str(len(plan.records)), plan.why, firm_time(plan.expires_at), plan.approved_by or "")
        for plan in plans
    ]
    print_rows(console, "Pläne", ("Plan", "Bereich", "Datensätze", "woher", "gilt bis", "freigegeben von"), rows)


def show_one(plan_id: str, *, values: bool, as_json: bool) -> None:
    """Print what a plan would write; values only when asked for."""
    with _store() as store:
        try:
            plan = read_plan(store, plan_id)
        except NoPlan as problem:
            fail(str(problem))
    rows = [row if values else _without_values(row) for row in plan.rows]
    if as_json:
        print_json(_json(plan) | {"plan": rows})
        return
    console = screen()
    console.print(
        f"Plan {plan.id} ({plan.entity}, {plan.why}): {len(plan.records)} Datensätze, gilt bis "
        f"{firm_time(plan.expires_at)}" + (f", freigegeben von {plan.approved_by}" if plan.approved_by else "")
    )
    print_rows(console, "Was geschrieben würde", HEADINGS, [(str(row["id"]), *in_words(row)) for row in rows])


def reject_one(plan_id: str, *, as_json: bool) -> None:
    """Forget a plan, and note who did not want it."""
    with _store() as store:
        try:
            plan = reject_plan(store, plan_id, getpass.getuser())
        except NoPlan as problem:
            fail_pass(str(problem), as_json=as_json)
    if as_json:
        print_json({"plan": plan.id, "rejected": True})
    else:
        screen().print(f"Verworfen: Plan {plan.id} ({plan.entity}).")


def apply_plan(plan_id: str, by: str | None, *, as_json: bool) -> int:
    """Carry a plan out, once; returns the exit code. What has moved since is left alone and told."""
    who = by or getpass.getuser()
    with _store() as store:
        try:
            plan = approve_plan(store, SystemClock(), plan_id, who)
        except NoPlan as problem:
            fail_pass(str(problem), as_json=as_json)
    try:
        summary = _carried_out(plan, quiet=as_json)
    except PassFailed as problem:
        fail_pass(str(problem), as_json=as_json)
    if as_json:
        print_json(summary.to_json() | {"plan": plan.id, "approved_by": who})
    else:
        print_summary(plan.entity, summary)
    return RECORDS_FAILED if summary.failures else 0


def _carried_out(plan: StoredPlan, *, quiet: bool) -> PassSummary:
    if plan.entity != KALENDER.name:
        with shown_pass(plan.entity, quiet=quiet) as progress:
            order = SyncOrder(tuple(plan.ids), None, plan=plan.id)
            return run_sync(target(plan.entity), order, progress=progress)[0]
    from vmh_sync.commands.passes.sync_kalender import run_calendars
    from vmh_sync.kalender.calendars import Calendars

    whose = list(dict.fromkeys(name.partition("/")[0] for name in plan.ids))
    outcomes = run_calendars(Calendars(kuerzel=whose, plan=plan.id), as_json=quiet).outcomes
    return PassSummary().add(outcomes)


def _json(plan: StoredPlan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "hash": plan.hash,
        "entity": plan.entity,
        "why": plan.why,
        "created_at": plan.created_at.isoformat(timespec="seconds"),
        "expires_at": plan.expires_at.isoformat(timespec="seconds"),
        "records": len(plan.records),
        "approved_by": plan.approved_by,
    }


def _without_values(row: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "changes"}
