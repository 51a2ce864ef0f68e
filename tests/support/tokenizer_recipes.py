"""Tokenizers of the kinds that heroq reads, trained on a text with the `tokenizers` library."""
import json
import pathlib

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

LLAMA3_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
                  r"\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2_PATTERN = LLAMA3_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}")
VOCABULARY = 6000
SPACE = "\u2581"


def _train(tokenizer, text, special, alphabet):
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet,
                                  show_progress=False)
    tokenizer.train_from_iterator(text, trainer)
    return tokenizer


def _byte_level(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def llama3(text):
    """A Split by pattern, ignored merges, a BOS from the template, reserved special tokens behind the vocabulary."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = _byte_level(LLAMA3_PATTERN)
    _train(tokenizer, text, [], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|> $B:1",
                                      special_tokens=[("<|begin_of_text|>",
                                                       tokenizer.token_to_id("<|begin_of_text|>"))])])
    return tokenizer


def qwen2(text):
    """NFC, digits one by one, no BOS, tokens that take white space along or stand as whole words only."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _byte_level(QWEN2_PATTERN)
    _train(tokenizer, text, [], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([
        AddedToken("<left>", lstrip=True), AddedToken("<right>", rstrip=True), AddedToken("<both>", lstrip=True, rstrip=True),
        AddedToken("whole", single_word=True), AddedToken("caf\u00e9"), AddedToken("<|im", normalized=False),
        AddedToken("Ng\u0303", normalized=True)])
    return tokenizer


def _sentencepiece(text):
    """The model of Llama 2: bytes of unknown characters are tokens, and spaces are written as "\u2581"."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    # Words are what merges are learnt from; the trained tokenizer sees whole documents.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    _train(tokenizer, text, special, [])
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = state["added_tokens"][:3]
    state["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
    return state


def llama2(text):
    """Prepend and Replace as normalizers, no pre-tokenizer, merges written as strings: the older files."""
    state = _sentencepiece(text)
    state["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": SPACE}, {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]}
    state["pre_tokenizer"] = None
    state["model"]["merges"] = [" ".join(merge) for merge in state["model"]["merges"]]
    return Tokenizer.from_str(json.dumps(state))


def mistral(text):
    """A Metaspace for the start of the document only: the newer files."""
    state = _sentencepiece(text)
    state["pre_tokenizer"] = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": False}
    return Tokenizer.from_str(json.dumps(state))


def smollm2(model_directory):
    return Tokenizer.from_file(str(pathlib.Path(model_directory) / "tokenizer.json"))
