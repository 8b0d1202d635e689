"""Runs one server and stops it when its starter is gone; a script of its own, never imported."""

import signal
import subprocess
import sys
import threading

_PATIENCE_SECONDS = 20


def _stop_after_starter(server: "subprocess.Popen[bytes]", stop: signal.Signals) -> None:
    sys.stdin.buffer.read()  # ends when the starter closes its end, or dies in whatever way
    server.send_signal(stop)
    try:
        server.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def main(stop: str, *command: str) -> int:
    """Run the command until it ends by itself or the starter is gone."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 -- our own command
    watcher = threading.Thread(
        target=_stop_after_starter, args=(server, signal.Signals[stop]), daemon=True
    )
    watcher.start()
    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(signal.Signals[stop]))
    return 0 if server.wait() == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
