"""Writes the tiny model that the checkpoints in this directory were made of: make_source.py DIRECTORY."""
import pathlib
import sys

import tiny_llama


def main():
    directory = pathlib.Path(sys.argv[1])
    tiny_llama.write_model(directory, seed=7, hidden_size=64, intermediate_size=128, num_hidden_layers=1)
    (directory / "chat_template.jinja").unlink()


main()
