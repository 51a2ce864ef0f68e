"""Keeps the dependency rules of docs/architecture.md: who may include what, where the operating system is touched, how
long a file may be. Every rule is a list of facts about source lines, so that a failure names file and line."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(os.environ["HEROQ_SOURCE"])
SOURCES = [p for top in ("common", "coordinator", "worker", "tests") for p in sorted((ROOT / top).rglob("*"))
           if p.suffix in (".cc", ".h", ".inc")]
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")
NUMERICS = ("calibration", "transform", "quantizer", "forward", "methods", "evaluation", "collective")


def relative(path):
    return path.relative_to(ROOT).as_posix()


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1)


def code_lines(path):
    """Lines without comments and string literals."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        yield number, line.split("//")[0]


def under(path, *folders):
    return any(relative(path).startswith(folder) for folder in folders)


def offenders(files, banned_include=None, banned_code=None):
    found = []
    for path in files:
        if banned_include:
            found += [f"{relative(path)}:{n}: includes {name}" for n, name in includes(path) if banned_include(name)]
        if banned_code:
            found += [f"{relative(path)}:{n}: {line.strip()}" for n, line in code_lines(path) if banned_code.search(line)]
    return found


def test_the_source_tree_is_found():
    assert len(SOURCES) > 100


def test_common_depends_on_nothing_above_it():
    files = [p for p in SOURCES if under(p, "common/")]
    assert not offenders(files, lambda name: name.startswith(("coordinator/", "worker/", "tests/")))


def test_coordinator_and_worker_never_include_each_other():
    assert not offenders([p for p in SOURCES if under(p, "coordinator/")], lambda n: n.startswith(("worker/", "tests/")))
    assert not offenders([p for p in SOURCES if under(p, "worker/")], lambda n: n.startswith(("coordinator/", "tests/")))


def test_torch_is_seen_by_workers_only():
    files = [p for p in SOURCES if under(p, "common/", "coordinator/")]
    assert not offenders(files, lambda name: TORCH.match(name) or "nccl" in name)


def test_numerics_see_no_service_code():
    files = [p for p in SOURCES if under(p, *(f"worker/{folder}/" for folder in NUMERICS))]
    allowed = re.compile(r"^(worker/(" + "|".join(NUMERICS) + r"|device)/|common/(status|quant|model|concurrency)/)")
    def banned(name):
        if name.startswith(("worker/", "common/")):
            # model_layout.h names the element type of a checkpoint.
            return not allowed.match(name) and name != "common/checkpoint/dtype.h"
        return name.endswith(".pb.h") or name.startswith(("grpc", "prometheus", "CLI/", "fstream", "filesystem", "chrono"))
    assert not offenders(files, banned)


def test_grpc_is_named_in_transport_code_only():
    allowed = ("coordinator/service/", "coordinator/client/", "coordinator/coordinator_server", "worker/worker_server",
               "worker/agent/", "common/rpc/", "common/blob/remote", "tests/")
    files = [p for p in SOURCES if not under(p, *allowed)]
    assert not offenders(files, lambda name: name.startswith("grpc") or name.endswith(".grpc.pb.h"), re.compile(r"\bgrpc::"))


def test_prometheus_is_named_in_metrics_only():
    files = [p for p in SOURCES if not under(p, "common/metrics/", "tests/")]
    assert not offenders(files, lambda name: name.startswith("prometheus"))


def test_policy_is_pure():
    pure = ("coordinator/planning/", "coordinator/scheduling/", "coordinator/state/job_")
    files = [p for p in SOURCES if under(p, *pure)]
    assert not offenders(files, lambda name: name in ("thread", "fstream", "filesystem", "chrono", "unistd.h", "fcntl.h")
                         or name.startswith(("grpc", "sqlite3")))


def test_time_comes_from_the_clock():
    files = [p for p in SOURCES if not under(p, "common/time/")]
    assert not offenders(files, None, re.compile(
        r"\babsl::(Now|SleepFor|GetCurrentTimeNanos)\(|std::this_thread::sleep|\b(sleep|usleep|nanosleep|clock_gettime|gettimeofday)\("
        r"|std::chrono::(system|steady|high_resolution)_clock"))


def test_files_are_touched_in_common_file_only():
    files = [p for p in SOURCES if not under(p, "common/file/", "tests/")]
    assert not offenders(files, lambda name: name in ("fstream", "filesystem"),
                         re.compile(r"(?<![\w.>:])(::)?(rename|renameat2?|fsync|fdatasync|mkdir|unlink|fopen|openat2?)\s*\("))


def test_per_operator_torch_headers():
    assert not offenders(SOURCES, lambda name: name in ("torch/torch.h", "ATen/ATen.h", "torch/all.h", "torch/extension.h"))


def test_state_changes_only_through_the_store():
    files = [p for p in SOURCES if not under(p, "coordinator/state/", "tests/")]
    assert not offenders(files, lambda name: name == "coordinator/state/job_state.h")


def test_files_stay_short():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    long = []
    for name in listed:
        path = ROOT / name
        if path.suffix in (".cc", ".h", ".inc", ".proto", ".py", ".sh") and not name.startswith("proto/google/") and path.exists():
            lines = len(path.read_text().splitlines())
            if lines > 400:
                long.append(f"{name}: {lines} lines")
    assert not long


def test_folders_are_two_levels_deep():
    deep = [relative(p) for top in ("common", "coordinator", "worker") for p in (ROOT / top).rglob("*")
            if p.is_file() and len(p.relative_to(ROOT).parts) > 3]
    assert not deep


def test_every_source_is_listed_in_its_cmake_file():
    missing = []
    for path in SOURCES:
        if path.suffix == ".cc":
            listing = path.parent / "CMakeLists.txt"
            candidates = [listing, path.parent.parent / "CMakeLists.txt"]
            if not any(c.exists() and re.search(rf"\b{re.escape(path.name)}\b", c.read_text()) for c in candidates):
                missing.append(relative(path))
    assert not missing


def test_unit_tests_mirror_sources():
    """tests/unit/a/b/x_test.cc tests what a/b holds: file x, or a behaviour of several of its files."""
    orphans = [relative(test) for test in (ROOT / "tests/unit").rglob("*_test.cc")
               if not any((ROOT / test.parent.relative_to(ROOT / "tests/unit")).glob("*.h"))]
    assert not orphans


@pytest.mark.parametrize("binary", ["heroq", "heroq-coordinator"])
def test_control_plane_links_no_torch(binary):
    linked = subprocess.run(["ldd", os.path.join(os.environ["HEROQ_BIN"], binary)], capture_output=True, text=True, check=True)
    assert not re.search(r"torch|libc10|nccl", linked.stdout)
