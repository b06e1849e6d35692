# SPDX-License-Identifier: MIT
"""What a reader of story.gguf must compute, from PyTorch and the file's own bytes.

    python3 reference.py logits MODEL.gguf 1,2,3      F32 logits after the last token, one a line
    python3 reference.py compare MODEL.gguf COMMAND   largest difference from the lines of `COMMAND logits MODEL --tokens IDS`
    python3 reference.py greedy MODEL.gguf HEADER     greedy answers to the three prompts, as text and as a C header
    python3 reference.py held-out MODEL.gguf N        loss and perplexity over N stories that training never saw
"""
import math
import struct
import subprocess
import sys

import torch

import tokenizer
import train

PROMPTS = ["In a house in a small village there lived a shy squirrel named Rosie.",
           "There was once a little boy named Ben who lived near the forest. One summer day, Ben was playing with his friend Paul, "
           "a kind cat.",
           "Mia was a gentle girl who lived near the river. Her best friend was a friendly mouse named Robin. One summer day, Robin "
           "did not come to play."]
LEAD = 0.015  # of the winner over the next, hundreds of times what readers of the file differ by
ANSWER = 48
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}


class Reader:
    def __init__(self, path):
        self.raw, self.at = open(path, "rb").read(), 0

    def get(self, form):
        value, = struct.unpack_from("<" + form, self.raw, self.at)
        self.at += struct.calcsize("<" + form)
        return value

    def text(self):
        n = self.get("Q")
        self.at += n
        return self.raw[self.at - n:self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            inner, n = self.get("I"), self.get("Q")
            return [self.value(inner) for _ in range(n)]
        return self.get(SCALARS[kind])


def load(path, dtype=torch.float32):
    r = Reader(path)
    assert r.raw[:4] == b"GGUF"
    r.at = 4
    assert r.get("I") == 3
    tensor_count, value_count = r.get("Q"), r.get("Q")
    values = {}
    for _ in range(value_count):
        key = r.text()
        values[key] = r.value(r.get("I"))
    infos = []
    for _ in range(tensor_count):
        name = r.text()
        dims = [r.get("Q") for _ in range(r.get("I"))]
        infos.append((name, dims, r.get("I"), r.get("Q")))
    start = r.at + -r.at % values["general.alignment"]
    state = {}
    model = train.Model()
    for name, dims, kind, offset in infos:
        n = math.prod(dims)
        flat = torch.frombuffer(bytearray(r.raw[start + offset:start + offset + n * (2 if kind == 1 else 4)]),
                                dtype=torch.float16 if kind == 1 else torch.float32)
        plain = name if name.endswith("norm.weight") else name[:-len(".weight")]
        state[plain] = flat.to(dtype).view(*reversed(dims))
    model.to(dtype).load_state_dict(state)
    vocab = {"pieces": values["tokenizer.ggml.tokens"], "scores": values["tokenizer.ggml.scores"],
             "types": values["tokenizer.ggml.token_type"]}
    return model.eval(), tokenizer.Tokenizer(vocab)


@torch.no_grad()
def logits(model, ids):
    return model(torch.tensor([ids]))[0, -1]


def compare(path, command):
    model, words = load(path)
    exact, _ = load(path, torch.float64)
    worst = 0.0
    texts = PROMPTS + ["The", "Lily had a red ball. One day", "Zebras & 12 \u00e4pfel"]
    for text in texts:
        ids = [tokenizer.BOS] + words.encode_whole(text)
        run = subprocess.run([*command.split(), "logits", path, "--tokens", ",".join(map(str, ids))], check=True,
                             stdout=subprocess.PIPE, universal_newlines=True)
        got = torch.tensor([float(x) for x in run.stdout.split()], dtype=torch.float64)
        a, b = (got - logits(model, ids)).abs().max(), (got - logits(exact, ids)).abs().max()
        print("%3d tokens: differs from F32 by %.3g, from F64 by %.3g; the greatest logit is %.3f" % (len(ids), a, b, got.max()))
        worst = max(worst, float(a), float(b))
    print("worst %.3g: %s" % (worst, "within 1e-3" if worst < 1e-3 else "TOO FAR"))
    return worst < 1e-3


def greedy(path, header):
    model, words = load(path)
    lines, narrow = [], math.inf
    c = ["/* SPDX-License-Identifier: MIT", " * tests/story_model.h - what models/story.gguf answers: greedy, F32 arithmetic over its F16 weights.",
         " * Written by models/reference.py; prompts include the leading <s>. The winner leads by at least MARGIN everywhere. */",
         "#ifndef GLLM_TESTS_STORY_MODEL_H", "#define GLLM_TESTS_STORY_MODEL_H", "#include <stdint.h>", "",
         "enum { STORY_PROMPTS = %d, STORY_ANSWER = %d };" % (len(PROMPTS), ANSWER), ""]

    def array(name, ids):
        rows = [", ".join(map(str, ids[i:i + 20])) for i in range(0, len(ids), 20)]
        c.extend(["static const int32_t %s[%d] = {" % (name, len(ids)), *("\t" + row + "," for row in rows), "};"])
    for i, prompt in enumerate(PROMPTS):
        first = [tokenizer.BOS] + words.encode_whole(prompt)
        ids, margins = list(first), []
        while len(ids) < train.CONTEXT and ids[-1] != tokenizer.EOS:
            best = logits(model, ids).topk(2)
            margins.append(float(best.values[0] - best.values[1]))
            ids.append(int(best.indices[0]))
        answer = ids[len(first):]
        margin = min(margins[:ANSWER])
        narrow = min(narrow, margin)
        lines += ["prompt: " + prompt, "ids: " + " ".join(map(str, first)), "answer: " + words.decode(answer[:-1]),
                  "ids: " + " ".join(map(str, answer)),
                  "narrowest lead: %.3f in the first %d tokens, %.3f in all" % (margin, ANSWER, min(margins)), ""]
        array("story_prompt_%d" % i, first)
        array("story_answer_%d" % i, answer[:ANSWER])
    c += ["", "static const struct {", "\tconst char *text;", "\tconst int32_t *prompt;", "\tuint32_t prompt_count;",
          "\tconst int32_t *answer;", "} story_case[STORY_PROMPTS] = {"]
    c += ["\t{ \"%s\", story_prompt_%d, sizeof story_prompt_%d / sizeof story_prompt_%d[0], story_answer_%d }," % (p, i, i, i, i)
          for i, p in enumerate(PROMPTS)]
    c += ["};", "#endif"]
    print("\n".join(lines), end="")
    with open(header, "w") as f:
        f.write("\n".join(c).replace("MARGIN", "%.3f" % (math.floor(narrow * 1000) / 1000)) + "\n")
    return narrow > LEAD


if __name__ == "__main__":
    what, model_path, argument = sys.argv[1:4]
    torch.set_num_threads(1)
    if what == "logits":
        for x in logits(load(model_path)[0], [int(i) for i in argument.split(",")]):
            print("%.9g" % x)
    elif what == "held-out":
        net, text = load(model_path)
        value, count = train.held_out(net, text.encode, int(argument))
        print("held out: %d stories, %d tokens, loss %.4f, perplexity %.4f" % (int(argument), count, value, math.exp(value)))
    else:
        sys.exit(0 if (compare if what == "compare" else greedy)(model_path, argument) else 1)
