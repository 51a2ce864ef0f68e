"""A coordinator and workers as services, each a process of its own, with a lease short enough to wait for its end."""
import os
import signal
import subprocess
import tempfile
import time

import grpc

import heroq_cli
import journal
from heroq_cli import BIN

LEASE_SECONDS = 2


class ServedCluster:
    """Its journal is read under the name `state`, as that of a run is under the name of its output."""

    def __init__(self, folder, workers=2, share_blobs=True, failpoints=""):
        """Without `share_blobs`, results go over gRPC; `failpoints` are the coordinator's, until it is restarted."""
        self._folder = folder
        self._share = ["--share-blob-directory"] if share_blobs else []
        # A socket's path has 107 bytes at most.
        self._sockets = tempfile.TemporaryDirectory(prefix="heroq-served-", dir="/tmp")
        self.address = f"unix:{self._sockets.name}/c"
        self.state = folder / "served"
        self.start_coordinator(failpoints)
        self.workers = {f"worker-{i}": self._start("heroq-worker", f"worker-{i}", "--server", self.address, "--id",
                                                   f"worker-{i}") for i in range(1, workers + 1)}

    def start_coordinator(self, failpoints=""):
        """The first one, or another after its end."""
        self.coordinator = self._start("heroq-coordinator", "coordinator", "--listen", self.address, "--state-dir",
                                       f"{self.state}.heroq/state", "--blob-dir", f"{self.state}.heroq/blobs", "--root",
                                       "files=/", *self._share, "--lease-seconds", str(LEASE_SECONDS),
                                       environment={"HEROQ_FAILPOINTS": failpoints} if failpoints else {})

    def _start(self, program, name, *flags, environment={}):
        return subprocess.Popen([BIN / program, *flags, "--log-file", self._folder / f"{name}.log"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={**os.environ, **environment})

    def log(self, name):
        return (self._folder / f"{name}.log").read_text()

    def submit(self, model, out, calibration, *flags):
        """The running command that waits for the job. `calibration` is a text, or token ids in safetensors."""
        deadline = time.monotonic() + 60
        while heroq_cli.heroq("version", "--server", self.address, check=False).returncode != 0:
            assert time.monotonic() < deadline, "the coordinator does not come up"
        kind = "--calibration-tokens" if calibration.suffix == ".safetensors" else "--calibration"
        return heroq_cli.start("quantize", f"files:{str(model)[1:]}", "--output", f"files:{str(out)[1:]}", kind,
                               f"files:{str(calibration)[1:]}", *flags, "--server", self.address, "--no-progress")

    def stop_a_worker_at_work(self):
        """(worker, the lease it held when it stopped)."""
        while True:
            for worker, process in self.workers.items():
                process.send_signal(signal.SIGSTOP)
                # What it sent before arrives.
                time.sleep(0.1)
                for lease in journal.open_leases(journal.updates(self.state)).values():
                    if lease["workerId"] == worker:
                        return worker, lease
                process.send_signal(signal.SIGCONT)

    def complete(self, lease):
        """Hands in an empty result for a lease, as its worker would; the gRPC error, or None."""
        fence = varint(1, lease["fence"]["epoch"]) + varint(2, lease["fence"]["counter"])
        token = text(1, lease["jobId"]) + text(2, lease["leaseId"]) + message(3, fence)
        with grpc.insecure_channel(self.address) as channel:
            call = channel.unary_unary("/heroq.v1.WorkerService/CompleteTask")
            try:
                call(message(1, token) + message(2, b""), timeout=10)
            except grpc.RpcError as error:
                return error
        return None

    def close(self):
        for process in (*self.workers.values(), self.coordinator):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self._sockets.cleanup()


def raw_varint(value):
    value, encoded = int(value), b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def varint(field, value):
    return raw_varint(field << 3) + raw_varint(value)


def message(field, content):
    return raw_varint(field << 3 | 2) + raw_varint(len(content)) + content


def text(field, value):
    return message(field, value.encode())
