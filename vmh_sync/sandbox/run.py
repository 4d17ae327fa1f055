"""Runs the simulated systems on loopback until told to stop: ``python -m vmh_sync.sandbox``."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vmh_sync.sandbox.crm.versions import DEFAULT
from vmh_sync.sandbox.installation import Installation
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.sandbox.systems import NAMES, Name, SystemsConfig, environment, seed_population, simulated

_PARENT_CHECK_SECONDS = 0.5
_ALIASES: dict[str, Name] = {"office": "advoware", "crm": "espocrm"}


@dataclass(frozen=True)
class SandboxOptions:
    """What to run: the systems' set-up, ports (0: a free one), which systems, and how to report.

    ``as_json`` prints exactly one JSON line; ``parent_pid`` ends the sandbox when that process is gone.
    """

    systems: SystemsConfig = field(default_factory=SystemsConfig)
    ports: dict[Name, int] = field(default_factory=dict)
    only: tuple[Name, ...] = NAMES
    as_json: bool = False
    parent_pid: int | None = None


@contextlib.asynccontextmanager
async def running(options: SandboxOptions) -> AsyncIterator[dict[str, Any]]:
    """Run the systems in this event loop for the length of the block and populate them.

    Yields the description that ``--json`` prints: ``{"advoware": {...}, "espocrm": {...}, "google": {...},
    "control": {name: url}, "environment": {variable: value}, "installation": {what was drawn}}``.
    """
    async with contextlib.AsyncExitStack() as stack:
        described: dict[Name, dict[str, str]] = {}
        for name in options.only:
            system = simulated(name, options.systems)
            server = LoopbackServer(system.app, port=options.ports.get(name, 0))
            described[name] = system.describe((await stack.enter_async_context(server)).url)
        urls: dict[Name, str] = {name: details["url"] for name, details in described.items()}
        if options.systems.parties:
            # An EspoCRM that nobody has set up has no entity types for records yet.
            blank = options.systems.blank_crm
            await seed_population(
                {name: url for name, url in urls.items() if name != "espocrm" or not blank},
                seed=options.systems.seed,
                parties=options.systems.parties,
                office=options.systems.installation.office,
                first_day=options.systems.first_day,
            )
        description: dict[str, Any] = dict(described.items())
        installation = options.systems.installation.to_json()
        yield description | {
            "control": urls,
            "environment": environment(described),
            "installation": installation,
        }


def serve(options: SandboxOptions) -> None:
    """Run the sandbox in the foreground until Ctrl-C, SIGTERM or the parent's death, and print what it offers."""
    asyncio.run(_serve(options))


async def _serve(options: SandboxOptions) -> None:
    # Asked before anything is printed: whoever reads the line may end the parent at once.
    is_child = os.getppid() == options.parent_pid
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(options) as description:
        sys.stdout.write(json.dumps(description) + "\n" if options.as_json else _as_text(description))
        sys.stdout.flush()
        watch = asyncio.create_task(_watch_parent(options.parent_pid, stop, is_child=is_child))
        await stop.wait()
        watch.cancel()


async def _watch_parent(pid: int | None, stop: asyncio.Event, *, is_child: bool) -> None:
    if pid is None:
        return
    while not stop.is_set():
        if not _is_alive(pid) or (is_child and os.getppid() != pid):
            stop.set()
        await asyncio.sleep(_PARENT_CHECK_SECONDS)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _as_text(description: dict[str, Any]) -> str:
    lines = ["The simulated systems are up (Ctrl-C ends them and everything in them):", ""]
    for name in NAMES:
        lines += [f"  {name:9} {key:21} {value}" for key, value in description.get(name, {}).items()]
    if description["installation"]["seed"] is not None:
        lines += ["", "This firm:", "", json.dumps(description["installation"], indent=2)]
    lines += ["", "Variables that point the product at them:", ""]
    lines += [f"export {name}='{value}'" for name, value in description["environment"].items()]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m vmh_sync.sandbox", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides keys, population and every random choice")
    parser.add_argument("--parties", type=int, default=0, help="size of the made-up firm (0: empty systems)")
    parser.add_argument("--only", choices=sorted([*NAMES, *_ALIASES]), action="append", help="run only this system")
    for name in NAMES:
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--webhook-interval", type=float, default=2.0, help="seconds between the CRM's deliveries")
    parser.add_argument("--no-google-quota", action="store_true", help="lift Google's quota (for measurements)")
    parser.add_argument("--installation", type=int, help="draw this firm's EspoCRM and Advoware from a seed")
    parser.add_argument("--blank-crm", action="store_true", help="an EspoCRM that nobody has set up yet")
    parser.add_argument("--first-day", action="store_true", help="two full sides that know nothing of each other")
    parser.add_argument("--crm-version", default=DEFAULT, help="the release of EspoCRM, such as 9.3.9 or 10.0.0")
    parser.add_argument("--webhook-allowed", action="append", default=[], help="host:port in webhookAllowedAddressList")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON line")
    parser.add_argument("--parent-pid", type=int, help="end when this process is gone")
    given = parser.parse_args(arguments)
    firm = Installation() if given.installation is None else Installation.draw(given.installation)
    systems = SystemsConfig(given.seed, given.parties, given.webhook_interval, not given.no_google_quota, firm)
    systems = replace(systems, blank_crm=given.blank_crm, crm_version=given.crm_version, first_day=given.first_day)
    systems = replace(systems, webhook_allowed=tuple(given.webhook_allowed))
    chosen = [_ALIASES.get(name, name) for name in given.only or NAMES]
    ports: dict[Name, int] = {name: getattr(given, f"{name}_port") for name in NAMES}
    only = tuple(name for name in NAMES if name in chosen)
    serve(SandboxOptions(systems, ports, only, given.json, given.parent_pid))
