#!/usr/bin/env python3
"""A copy of a GPTQ checkpoint with dense float32 weights, unpacked here bit by bit from the published layout (nothing of heroq
or of a GPTQ library is used), so that any engine shows what the codes stand for.

    dense_copy.py CHECKPOINT OUTPUT
"""
import json
import pathlib
import re
import shutil
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file

PARTS = ("qweight", "qzeros", "scales", "g_idx")


def codes_of(words, bits):
    """[rows, words] int32 -> [rows, codes]: every row one stream, least significant bit first."""
    stream = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1, bitorder="little")
    grouped = stream[:, :stream.shape[1] // bits * bits].reshape(len(words), -1, bits).astype(np.int32)
    return (grouped << np.arange(bits)).sum(-1)


def bits_of(config, name):
    for pattern, rule in config.get("dynamic", {}).items():
        if re.match(pattern[2:], name):
            return rule["bits"]
    return config["bits"]


def weight_of(tensors, name, config):
    bits = bits_of(config, name)
    codes = codes_of(tensors[f"{name}.qweight"].numpy().T, bits)
    zeros = codes_of(tensors[f"{name}.qzeros"].numpy(), bits)
    if config["checkpoint_format"] == "gptq":
        zeros = (zeros + 1) % 2**bits
    index = tensors[f"{name}.g_idx"].numpy()
    return torch.from_numpy(tensors[f"{name}.scales"].float().numpy()[index].T * (codes - zeros[index].T)).float()


def main(checkpoint, output):
    checkpoint, output = pathlib.Path(checkpoint), pathlib.Path(output)
    shutil.copytree(checkpoint, output, ignore=shutil.ignore_patterns("*.safetensors*", "report", "MANIFEST.json", "quantize_config.json"))
    config = json.loads((checkpoint / "config.json").read_text())
    quantization = config.pop("quantization_config")
    config["dtype"] = "float32"
    (output / "config.json").write_text(json.dumps(config))
    tensors = {}
    for file in sorted(checkpoint.glob("*.safetensors")):
        tensors |= load_file(file)
    names = [key.removesuffix(".qweight") for key in tensors if key.endswith(".qweight")]
    dense = {key: tensor.float() for key, tensor in tensors.items() if key.rpartition(".")[2] not in PARTS}
    save_file(dense | {f"{name}.weight": weight_of(tensors, name, quantization).contiguous() for name in names},
              output / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main(*sys.argv[1:])
