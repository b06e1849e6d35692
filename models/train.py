# SPDX-License-Identifier: MIT
"""Trains the model on stories of the grammar:  python3 train.py OUT.pt LOSS.svg
If OUT.pt holds a run that ended with an arc, training goes on from there as if it had not stopped.

Every row of a batch is one story, <s> story </s>, at the positions where it will be spoken; stories of like length
share a batch, so little is padding. No story is seen twice. Matrices inside the layers are trained by orthogonalised
momentum (five Newton-Schulz steps), the embedding and the norms by AdamW; both rates rise and fall along a cosine, once
for each arc: the first learns sentences and, late, to repeat names; the next repeat them ever more reliably; from the fifth
on heroes and friends have names of their own, so that a name tells who is who. What a prediction is held against changes
too: the word told; the same, but open choices weigh less; the chances of all words as the grammar has them (oracle.py)."""
import math
import os
import random
import sys
import time

import torch
import torch.nn.functional as F

import grammar
import oracle
import tokenizer

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD, FFN, VOCAB, CONTEXT = 5, 144, 6, 2, 24, 340, 1024, 256
THETA, EPS = 10000.0, 1e-5
WARMUP, STRETCH = 100, 200
TOLD, CALM, EXACT = range(3)
ARCS = (  # steps (a multiple of STRETCH), peak of the rates, stories a step, names apart, what predictions are held against
    (3000, 1.0, 8, False, TOLD), (2000, 0.6, 8, False, TOLD), (1600, 0.35, 8, False, TOLD), (1600, 0.3, 8, False, TOLD),
    (800, 0.3, 8, True, TOLD), (1200, 0.3, 16, True, CALM), (3000, 0.4, 8, True, EXACT))
SEED_TRAIN, SEED_VOCAB, SEED_TEST, SEED_INIT = 1, 2, 3, 4


class Norm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS) * self.weight


def rotation(length, dtype=torch.float32):
    """cos and sin of pairs of neighbours, [length, HEAD / 2]"""
    step = THETA ** (-torch.arange(0, HEAD, 2, dtype=torch.float64) / HEAD)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * step
    return angle.cos().to(dtype), angle.sin().to(dtype)


def rotate(x, table):
    cos, sin = table
    a, b = x.unflatten(-1, (HEAD // 2, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attn_norm, self.ffn_norm = Norm(), Norm()

        def matrix(rows, columns, deviation):
            return torch.nn.Parameter(torch.randn(rows, columns) * deviation)
        inner = WIDTH ** -0.5
        self.attn_q = matrix(HEADS * HEAD, WIDTH, inner)
        self.attn_k = matrix(KV_HEADS * HEAD, WIDTH, inner)
        self.attn_v = matrix(KV_HEADS * HEAD, WIDTH, inner)
        self.attn_output = matrix(WIDTH, HEADS * HEAD, inner / (2 * LAYERS) ** 0.5)
        self.ffn_gate = matrix(FFN, WIDTH, inner)
        self.ffn_up = matrix(FFN, WIDTH, inner)
        self.ffn_down = matrix(WIDTH, FFN, FFN ** -0.5 / (2 * LAYERS) ** 0.5)

    def forward(self, x, table, mask):
        batch, length, _ = x.shape
        group = HEADS // KV_HEADS
        y = self.attn_norm(x)
        q = rotate((y @ self.attn_q.t()).view(batch, length, HEADS, HEAD).transpose(1, 2), table)
        k = rotate((y @ self.attn_k.t()).view(batch, length, KV_HEADS, HEAD).transpose(1, 2), table)
        v = (y @ self.attn_v.t()).view(batch, length, KV_HEADS, HEAD).transpose(1, 2)
        q = q.reshape(batch, KV_HEADS, group * length, HEAD) * HEAD ** -0.5
        y = (q @ k.transpose(2, 3) + mask).softmax(-1) @ v
        y = y.view(batch, HEADS, length, HEAD).transpose(1, 2).reshape(batch, length, HEADS * HEAD)
        x = x + y @ self.attn_output.t()
        y = self.ffn_norm(x)
        return x + (F.silu(y @ self.ffn_gate.t()) * (y @ self.ffn_up.t())) @ self.ffn_down.t()


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embd = torch.nn.Parameter(torch.randn(VOCAB, WIDTH) * 0.05)
        self.blk = torch.nn.ModuleList(Layer() for _ in range(LAYERS))
        self.output_norm = Norm()

    def forward(self, ids):
        length, dtype = ids.shape[1], self.token_embd.dtype
        table = rotation(length, dtype)
        mask = torch.full((length, length), -math.inf, dtype=dtype).triu(1).repeat(HEADS // KV_HEADS, 1)
        x = F.embedding(ids, self.token_embd)
        for layer in self.blk:
            x = layer(x, table, mask)
        return self.output_norm(x) @ self.token_embd.t()


def loss_of(model, batch, chances=None, calm=False):
    """Mean over tokens, in nats. With `chances` against those of all tokens instead of the one told. With `calm` a token weighs
    the less, the more the model holds possible in its place: choices cannot be foreseen and would drown what can. Either
    way the best answer stays the same, for weights depend only on what stands before."""
    logits = model(batch[:, :-1]).flatten(0, 1)
    target = batch[:, 1:].flatten()
    if chances is not None:
        return -(chances * logits.log_softmax(-1)).sum() / chances.sum()
    if not calm:
        return F.cross_entropy(logits, target, ignore_index=tokenizer.UNK)
    with torch.no_grad():
        log = logits.log_softmax(-1)
        weight = (target != tokenizer.UNK) / (1 - 3 * (log.exp() * log).sum(-1))
    return (F.cross_entropy(logits, target, reduction="none") * weight).sum() / weight.sum()


def batches(texts, encode, rng, size):
    """Sorted by length within a stretch, then shuffled; padded with <unk>, which no story contains."""
    rows = sorted(([tokenizer.BOS] + encode(t) + [tokenizer.EOS] for t in texts), key=len)
    groups = [rows[i:i + size] for i in range(0, len(rows), size)]
    rng.shuffle(groups)
    for g in groups:
        longest = max(map(len, g))
        assert longest <= CONTEXT
        yield torch.tensor([r + [tokenizer.UNK] * (longest - len(r)) for r in g])


def exact_batches(texts, words, rng, size):
    """As batches(), each with the grammar's chances of all tokens, one row for each prediction."""
    def encode_word(word):
        return words.ids(word.replace(" ", tokenizer.SPACE)) if word else [tokenizer.EOS]
    rows = sorted((oracle.targets(t, encode_word) for t in texts), key=lambda r: len(r[0]))
    groups = [rows[i:i + size] for i in range(0, len(rows), size)]
    rng.shuffle(groups)
    for g in groups:
        longest = len(g[-1][0])
        at = [(i * longest + j, t, p) for i, (_, chances) in enumerate(g) for j, c in enumerate(chances) for t, p in c.items()]
        place, token, chance = zip(*at)
        exact = torch.zeros(len(g) * longest, VOCAB)
        exact[list(place), list(token)] = torch.tensor(chance)
        yield torch.tensor([[tokenizer.BOS] + ids + [tokenizer.UNK] * (longest - len(ids)) for ids, _ in g]), exact


class Orthogonal:
    """Momentum whose update is replaced by the nearest orthogonal matrix, roughly; equal shapes are done at once."""

    def __init__(self, parameters):
        self.groups = {}
        for p in parameters:
            self.groups.setdefault(tuple(p.shape), []).append(p)
        self.momentum = {s: torch.zeros(len(g), *s) for s, g in self.groups.items()}

    @torch.no_grad()
    def step(self, rate, decay=0.01, beta=0.95):
        for shape, group in self.groups.items():
            gradient = torch.stack([p.grad for p in group])
            m = self.momentum[shape]
            m.lerp_(gradient, 1 - beta)
            x = gradient.lerp(m, beta)
            tall = shape[0] > shape[1]
            if tall:
                x = x.transpose(1, 2)
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
            for _ in range(5):
                a = x @ x.transpose(1, 2)
                x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
            if tall:
                x = x.transpose(1, 2)
            scale = rate * max(1.0, shape[0] / shape[1]) ** 0.5
            for p, update in zip(group, x):
                p.mul_(1 - rate * decay).sub_(update, alpha=scale)


@torch.no_grad()
def held_out(model, encode, count):
    total = tokens = 0
    for b in batches(list(grammar.stories(SEED_TEST, count)), encode, random.Random(0), 50):
        n = int((b[:, 1:] != tokenizer.UNK).sum())
        total += float(loss_of(model, b)) * n
        tokens += n
    return total / tokens, tokens


def picture(path, curve, tests):
    """Loss over steps as a drawing; the vertical axis is logarithmic."""
    wide, high, left, top = 720, 360, 60, 20
    last, low, most = curve[-1][0], 0.25, 8.0

    def at(step, loss):
        y = (math.log(most) - math.log(min(max(loss, low), most))) / (math.log(most) - math.log(low))
        return "%.1f,%.1f" % (left + (wide - left - 20) * step / last, top + (high - top - 40) * y)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' % (wide, high),
           '<rect width="100%" height="100%" fill="white"/>']
    for y in (0.25, 0.5, 1, 2, 4, 8):
        a, b = at(0, y), at(last, y)
        out.append('<path d="M%s L%s" stroke="#ddd"/><text x="%d" y="%s" text-anchor="end">%g</text>'
                   % (a, b, left - 6, a.split(",")[1], y))
    for i in range(5):
        x = at(last * i / 4, low).split(",")[0]
        out.append('<text x="%s" y="%d" text-anchor="middle">%d</text>' % (x, high - 22, last * i // 4))
    for points, colour, width, name, row in ((curve, "#7799cc", 1, "training (mean of 10 steps)", 0), (tests, "#cc3322", 2, "held out", 1)):
        gaps = [i for i in range(1, len(points)) if points[i][0] > points[i - 1][0] + STRETCH + WARMUP]
        for a, b in zip([0] + gaps, gaps + [len(points)]):
            line = " ".join(at(*p) for p in points[a:b])
            out.append('<polyline fill="none" stroke="%s" stroke-width="%d" points="%s"/>' % (colour, width, line))
        out.append('<text x="%d" y="%d" fill="%s">%s</text>' % (wide - 230, top + 20 + 16 * row, colour, name))
    out.append('<text x="%d" y="%d" text-anchor="middle">step</text>' % (wide / 2, high - 6))
    out.append('<text x="14" y="%d" transform="rotate(-90 14 %d)" text-anchor="middle">nats per token</text></svg>' % (high / 2, high / 2))
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")


def vocabulary():
    return tokenizer.learn(grammar.stories(SEED_VOCAB, 20000, False), VOCAB, tokenizer.EXTRA)


def train_arc(run, model, encode, stretches, steps, peak, against, out):
    matrices = [p for layer in model.blk for p in layer.parameters() if p.dim() == 2]
    others = [model.token_embd] + [p for p in model.parameters() if p.dim() == 1]
    orthogonal, adam = Orthogonal(matrices), torch.optim.AdamW(others, lr=1, betas=(0.9, 0.95), weight_decay=0.0)
    base, stock, mean, start = run["step"], iter(()), [], time.process_time() - run["seconds"]
    for step in range(1, steps + 1):
        batch = next(stock, None)
        if batch is None:
            stock = next(stretches)
            batch = next(stock)
        rate = peak * min(1.0, step / WARMUP) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * step / steps)))
        batch, chances = batch if against == EXACT else (batch, None)
        loss = loss_of(model, batch, chances, against == CALM)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        orthogonal.step(0.02 * rate)
        adam.param_groups[0]["lr"] = 0.004 * rate
        adam.step()
        mean.append(float(loss.detach()))
        run["tokens"] += int((batch[:, 1:] != tokenizer.UNK).sum())
        if step % 10 == 0:
            if against != CALM:  # a weighted loss is not to be drawn beside the others
                run["curve"].append((base + step, sum(mean) / len(mean)))
            mean = []
        if step % 100 == 0:  # to be looked at; a run goes on from the end of an arc
            torch.save({**run, "model": model.state_dict()}, out + ".now")
        if step % 250 == 0 or step == steps:
            run["tests"].append((base + step, held_out(model, encode, 60)[0]))
            run["seconds"] = time.process_time() - start
            print("step %d  tokens %d  held out %.4f  %.0f s" %
                  (base + step, run["tokens"], run["tests"][-1][1], run["seconds"]), flush=True)
    run["step"] = base + steps
    run["model"] = model.state_dict()
    torch.save(run, out + ".part")
    os.replace(out + ".part", out)


def main():
    out, drawing = sys.argv[1:3]
    torch.manual_seed(SEED_INIT)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    rng, order = random.Random(SEED_TRAIN), random.Random(SEED_TRAIN)
    model = Model()
    print(sum(p.numel() for p in model.parameters()), "parameters", flush=True)
    run = {"step": 0, "tokens": 0, "seconds": 0, "curve": [], "tests": []}
    if os.path.exists(out):
        run = torch.load(out)
        model.load_state_dict(run["model"])
    else:
        run["vocab"] = vocabulary()
    words = tokenizer.Tokenizer(run["vocab"])
    encode = words.encode
    done = 0
    for steps, peak, rows, apart, against in ARCS:
        later = done >= run["step"]
        make, how = (exact_batches, words) if against == EXACT and later else (batches, words.encode)
        stretches = (make([grammar.story(rng, apart) for _ in range(STRETCH * rows)], how, order, rows)
                     for _ in range(steps // STRETCH))
        if not later:
            for stretch in stretches:
                for _ in stretch:  # what the arc was trained on is not to be seen again
                    pass
        else:
            train_arc(run, model, encode, stretches, steps, peak, against, out)
        done += steps
    loss, tokens = held_out(model, encode, 2000)
    print("held out: %d tokens, loss %.4f, perplexity %.4f" % (tokens, loss, math.exp(loss)))
    picture(drawing, run["curve"], run["tests"])


if __name__ == "__main__":
    main()
