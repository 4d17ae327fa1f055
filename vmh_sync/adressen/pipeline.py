"""The steps of a pass over Adressen alone; without Dagster, so that choosing records does not wait for it."""

from vmh_sync.adressen.part import PART
from vmh_sync.children.pipeline import ChildPipeline

PIPELINE = ChildPipeline(PART)
