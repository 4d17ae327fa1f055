"""The steps of a pass over Bankverbindungen alone; without Dagster, so that choosing records does not wait for it."""

from vmh_sync.bankverbindungen.part import PART
from vmh_sync.children.pipeline import ChildPipeline

PIPELINE = ChildPipeline(PART)
