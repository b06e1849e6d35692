# SPDX-License-Identifier: MIT
"""Writes a trained model as GGUF version 3:  python3 export.py MODEL.pt OUT.gguf [F32]

Matrices in F16, norms in F32 (all in F32 with the last argument: the same rounded values, for loaders that compute in
the type they find). There is no output.weight, so the embedding serves as both. Pairs that RoPE turns are neighbours
in the rows of attn_q and attn_k already, as the llama architecture wants them; nothing is permuted."""
import struct
import sys

import torch

import tokenizer
import train

U32, I32, FLOAT, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
FORM = {U32: "<I", I32: "<i", FLOAT: "<f", BOOL: "<B"}
ALIGNMENT = 32


def string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def scalar(kind, value):
    return string(value) if kind == STRING else struct.pack(FORM[kind], value)


def entry(key, kind, value):
    if isinstance(value, list):
        head = string(key) + struct.pack("<IIQ", ARRAY, kind, len(value))
        return head + b"".join(scalar(kind, v) for v in value)
    return string(key) + struct.pack("<I", kind) + scalar(kind, value)


def metadata(vocab, f16):
    head = "llama.attention."
    return [
        ("general.architecture", STRING, "llama"),
        ("general.name", STRING, "story"),
        ("general.description", STRING, "short stories; made by the scripts in models/, text from our own grammar"),
        ("general.license", STRING, "mit"),
        ("general.alignment", U32, ALIGNMENT),
        ("general.file_type", U32, 1 if f16 else 0),
        ("llama.context_length", U32, train.CONTEXT),
        ("llama.embedding_length", U32, train.WIDTH),
        ("llama.block_count", U32, train.LAYERS),
        ("llama.feed_forward_length", U32, train.FFN),
        ("llama.vocab_size", U32, train.VOCAB),
        (head + "head_count", U32, train.HEADS),
        (head + "head_count_kv", U32, train.KV_HEADS),
        (head + "key_length", U32, train.HEAD),
        (head + "value_length", U32, train.HEAD),
        (head + "layer_norm_rms_epsilon", FLOAT, train.EPS),
        ("llama.rope.dimension_count", U32, train.HEAD),
        ("llama.rope.freq_base", FLOAT, train.THETA),
        ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.tokens", STRING, vocab["pieces"]),
        ("tokenizer.ggml.scores", FLOAT, vocab["scores"]),
        ("tokenizer.ggml.token_type", I32, vocab["types"]),
        ("tokenizer.ggml.bos_token_id", U32, tokenizer.BOS),
        ("tokenizer.ggml.eos_token_id", U32, tokenizer.EOS),
        ("tokenizer.ggml.unknown_token_id", U32, tokenizer.UNK),
        ("tokenizer.ggml.add_bos_token", BOOL, 1),
        ("tokenizer.ggml.add_eos_token", BOOL, 0),
        ("tokenizer.ggml.add_space_prefix", BOOL, 1),
    ]


def tensors(state):
    for name, value in state.items():
        yield (name if name.endswith(".weight") else name + ".weight"), value


def padded(raw):
    return raw + bytes(-len(raw) % ALIGNMENT)


def write(path, state, vocab, f16=True):
    infos, data = b"", b""
    items = list(tensors(state))
    for name, value in items:
        half = value.dim() == 2 and f16
        shape = list(reversed(value.shape))  # the contiguous dimension first
        infos += string(name) + struct.pack("<I", len(shape)) + struct.pack("<%dQ" % len(shape), *shape)
        infos += struct.pack("<IQ", 1 if half else 0, len(data))
        rounded = value.half() if value.dim() == 2 else value
        data += padded((rounded if half else rounded.float()).contiguous().numpy().tobytes())
    values = metadata(vocab, f16)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(items), len(values)) + b"".join(entry(*v) for v in values) + infos
    with open(path, "wb") as f:
        f.write(padded(head) + data)


if __name__ == "__main__":
    saved = torch.load(sys.argv[1])
    write(sys.argv[2], saved["model"], saved["vocab"], sys.argv[3:] != ["F32"])
