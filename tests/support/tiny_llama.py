"""Tiny random llama directories, made by transformers and tokenizers: real files, seconds to quantize."""
import json
import pathlib

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

WORDS = ("the quick brown fox jumps over the lazy dog while seven wizards quietly examine forty-two boxes of "
         "liquor jugs and decide that calibration is mostly a matter of patience").split()


def text(words=6000, seed=0):
    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(len(WORDS), (words,), generator=generator).tolist()
    return " ".join(WORDS[i] for i in picks) + "\n"


def write_tokenizer(directory, vocab_size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator([text(2000, seed) for seed in range(3)], trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
        special_tokens=["<|end|>"]))
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>"}))


def write_model(directory, *, seed=0, dtype=torch.bfloat16, **overrides):
    """Writes config, one safetensors file, tokenizer, chat template and text.txt; returns the directory."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    settings = dict(vocab_size=320, hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4,
                    num_key_value_heads=2, max_position_embeddings=512, rms_norm_eps=1e-5, tie_word_embeddings=True,
                    bos_token_id=None, eos_token_id=0)
    settings.update(overrides)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(**settings))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Norm gains that are not one and biases that are not zero make mistakes visible.
            if name.endswith("norm.weight"):
                parameter.uniform_(0.5, 1.5)
            elif name.endswith(".bias"):
                parameter.normal_(0, 0.1)
            else:
                parameter.normal_(0, 0.08)
    model.to(dtype).save_pretrained(directory)
    write_tokenizer(directory, settings["vocab_size"])
    (directory / "chat_template.jinja").write_text("{% for message in messages %}{{ message.content }}{% endfor %}")
    return directory


def write_uneven_model(directory, dtype=torch.bfloat16):
    """A model whose inputs have channels of very different size, as real ones do: something for a scale to even out."""
    directory = write_model(directory, dtype=dtype)
    tensors = load_file(directory / "model.safetensors")
    generator = torch.Generator().manual_seed(3)
    for name, tensor in tensors.items():
        spread = torch.randn(len(tensor), generator=generator).mul(1.2).exp()
        if name.endswith("layernorm.weight"):
            tensors[name] = (tensor * spread).to(dtype)
        elif "up_proj" in name or "v_proj" in name:
            tensors[name] = (tensor * spread[:, None]).to(dtype)
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    return directory
