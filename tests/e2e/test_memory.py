"""What workers may allocate: refused in advance where it cannot suffice, enforced where it can."""
import json
import pathlib
import re
import subprocess

import pytest
import torch
from safetensors.torch import save_file

import heroq_cli
import run_processes
import served_cluster
import tiny_llama
from heroq_cli import heroq, published_bytes

FLAGS = ["--samples", "8", "--sequence-length", "64", "--shards", "2", "--no-progress"]


def write_wide_model(directory, blocks=4, hidden=4096, intermediate=14336, vocabulary=512):
    """Blocks as wide as those of a model of 7 billion parameters, and token ids for it."""
    directory.mkdir()
    generator = torch.Generator().manual_seed(0)
    patterns = {}

    def weight(rows, columns, shift):
        if (rows, columns) not in patterns:
            values = torch.randn(rows, columns, generator=generator) * columns ** -0.5
            patterns[rows, columns] = values.to(torch.bfloat16)
        return patterns[rows, columns].roll(shift, 0)

    tensors = {"model.embed_tokens.weight": weight(vocabulary, hidden, 0),
               "model.norm.weight": torch.ones(hidden, dtype=torch.bfloat16)}
    for block in range(blocks):
        prefix = f"model.layers.{block}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{prefix}{norm}.weight"] = torch.ones(hidden, dtype=torch.bfloat16)
        for i, (name, rows, columns) in enumerate([
                ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", hidden // 4, hidden),
                ("self_attn.v_proj", hidden // 4, hidden), ("self_attn.o_proj", hidden, hidden),
                ("mlp.gate_proj", intermediate, hidden), ("mlp.up_proj", intermediate, hidden),
                ("mlp.down_proj", hidden, intermediate)]):
            tensors[f"{prefix}{name}.weight"] = weight(rows, columns, 7 * block + i)
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    (directory / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden,
        "intermediate_size": intermediate, "num_hidden_layers": blocks, "num_attention_heads": 32,
        "num_key_value_heads": 8, "vocab_size": vocabulary, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "max_position_embeddings": 2048, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "hidden_act": "silu",
        "bos_token_id": 1, "eos_token_id": 2}))
    ids = torch.randint(0, vocabulary, (8, 64), generator=generator, dtype=torch.int32)
    save_file({"input_ids": ids}, directory.parent / "tokens.safetensors")


def data_limit(pid):
    """The most a process may allocate, as the kernel has it; None without a limit."""
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    found = re.search(r"Max data size +(\d+)", limits)
    return int(found[1]) if found else None


def run_limited(*command):
    """Runs heroq; the limits of its worker."""
    process = heroq_cli.start(*command)
    run_processes.wait_until(lambda: "worker-1" in run_processes.family(process))
    worker = run_processes.family(process)["worker-1"]
    run_processes.wait_until(lambda: data_limit(worker) is not None)
    limit = data_limit(worker)
    stdout, stderr = process.communicate(timeout=1500)
    assert process.returncode == 0, stdout + stderr
    return limit


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    tiny_llama.write_model(folder / "model")
    (folder / "calibration.txt").write_text(tiny_llama.text(2000))
    return folder


def command(inputs, out, *flags):
    return ["quantize", inputs / "model", "--output", out, "--calibration", inputs / "calibration.txt", *FLAGS, *flags]


def test_too_little_is_refused_naming_the_least_that_works(inputs, tmp_path):
    out = tmp_path / "out"
    refused = heroq(*command(inputs, out, "--memory", "100MiB"), check=False)
    assert refused.returncode == 2
    assert list(tmp_path.iterdir()) == [], "no process was started"
    least = re.search(r"--memory.* the least that works is (\d+MiB)", refused.stderr)[1]
    below = f"{int(least[:-3]) - 1}MiB"
    assert heroq(*command(inputs, out, "--memory", below), check=False).returncode == 2
    assert run_limited(*command(inputs, out, "--memory", least)) == int(least[:-3]) << 20
    free = tmp_path / "free"
    heroq(*command(inputs, free))
    assert published_bytes(out) == published_bytes(free), "a budget changes nothing about the result"


def test_a_worker_refuses_a_budget_that_is_no_size():
    result = subprocess.run([heroq_cli.BIN / "heroq-worker", "--server", "unix:/nowhere", "--memory", "6xb"],
                            capture_output=True, text=True, timeout=30)
    assert result.returncode == 41
    assert "--memory" in result.stderr


def resident(pid, field):
    return int(re.search(rf"^{field}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]) << 10


def test_an_idle_worker_gives_back_what_it_freed(tmp_path):
    # The factor of 4096 inputs takes 128 MiB, their second moments half of that.
    write_wide_model(tmp_path / "model", blocks=1, hidden=512, intermediate=4096)
    cluster = served_cluster.ServedCluster(tmp_path, workers=1)
    try:
        job = cluster.submit(tmp_path / "model", tmp_path / "out", tmp_path / "tokens.safetensors", "--samples", "8",
                             "--sequence-length", "64")
        stdout, stderr = job.communicate(timeout=120)
        assert job.returncode == 0, stdout + stderr
        worker = cluster.workers["worker-1"].pid
        run_processes.wait_until(lambda: resident(worker, "VmRSS") < resident(worker, "VmHWM") - (128 << 20))
    finally:
        cluster.close()


def test_a_model_as_wide_as_7_billion_parameters_fits_6_gib(tmp_path):
    write_wide_model(tmp_path / "model")
    out = tmp_path / "out"
    limit = run_limited("quantize", tmp_path / "model", "--output", out, "--calibration-tokens",
                        tmp_path / "tokens.safetensors", *FLAGS, "--memory", "6GiB")
    assert limit == 6 << 30
    peak = json.loads((out / "report/run.json").read_text())["worker_peak_rss_bytes"]
    predicted = json.loads((out / "report/report.json").read_text())["predicted"]["worker_peak_memory_bytes"]
    assert peak <= predicted <= 6 << 30
    assert predicted <= 1.25 * peak
    heroq("verify", out)
