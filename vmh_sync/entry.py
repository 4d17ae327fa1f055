"""Where the program ``vmh-sync`` begins: Ctrl-C is taken care of before anything slow is imported."""

from vmh_sync import interrupt


def main() -> None:
    """Run the command line."""
    try:
        with interrupt.armed():
            from vmh_sync.cli import main as command_line

            command_line()
    finally:
        interrupt.only_ends()
