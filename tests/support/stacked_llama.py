"""Models of any depth from a real one: its blocks, again and again."""
import json
import re
import shutil

from safetensors import safe_open
from safetensors.torch import save_file


def write(source, directory, blocks):
    directory.mkdir(parents=True)
    config = json.loads((source / "config.json").read_text())
    depth = config["num_hidden_layers"]
    config["num_hidden_layers"] = blocks
    (directory / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source / name, directory)
    tensors = {}
    with safe_open(source / "model.safetensors", "pt") as weights:
        for name in weights.keys():
            block = re.match(r"model\.layers\.(\d+)\.", name)
            if block is None:
                tensors[name] = weights.get_tensor(name)
                continue
            for copy in range(int(block[1]), blocks, depth):
                tensors[name.replace(f".{block[1]}.", f".{copy}.", 1)] = weights.get_tensor(name).clone()
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
