"""Who asks a code server; importing it loads gRPC."""

from dagster._grpc.client import DagsterGrpcClient

__all__ = ["DagsterGrpcClient"]
