"""Dagster's code server: the command that starts it and the module in which that looks its class up."""

from dagster._cli.api import grpc_command
from dagster._grpc import server

__all__ = ["grpc_command", "server"]
