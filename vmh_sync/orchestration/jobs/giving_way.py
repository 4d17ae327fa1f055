"""Lets a run that can wait give way to all others on its machine."""

import multiprocessing
import os

import dagster as dg

NICENESS = 10


def give_way(instance: dg.DagsterInstance) -> None:
    """Lower the priority of this process, if it ends with the run.

    That is so for runs of Dagster's default launcher, each a process of its own; a warm worker and a command in the
    foreground do other things afterwards, and nobody but root could take it back.
    """
    launcher = instance.get_ref().run_launcher_data if instance.is_persistent else None
    own = multiprocessing.parent_process() is not None
    if own and launcher is not None and launcher.class_name == "DefaultRunLauncher":
        os.nice(NICENESS)
