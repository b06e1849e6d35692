# SPDX-License-Identifier: MIT
"""A SentencePiece-style vocabulary: byte-pair merges learnt from stories, and encoding as the file's readers do it.

Pieces are <unk>, <s>, </s>, 256 bytes, the characters of the text, then one piece per merge; a piece's score is minus
its rank, so that joining the best-scored neighbours first replays the merges in the order they were learnt. A piece
holds letters or punctuation, never both, and a space at most as its start, so a prompt is cut as the same words of a story are."""
import collections
import heapq
import json
import re
import sys

SPACE = "\u2581"
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
UNK, BOS, EOS = 0, 1, 2
EXTRA = SPACE + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,!?;:-'\""


def words_of(text):
    return re.findall(SPACE + r"?[A-Za-z]+|" + SPACE + r"?[^A-Za-z" + SPACE + r"]+|" + SPACE, SPACE + text.replace(" ", SPACE))


def learn(texts, size, extra):
    """`extra`: characters that shall be pieces even if the text lacks them."""
    count = collections.Counter(w for t in texts for w in words_of(t))
    chars = sorted({c for w in count for c in w} | set(extra))
    pieces = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    merges, words = [], {w: list(w) for w in count}
    while len(pieces) + len(chars) + len(merges) < size:
        pairs = collections.Counter()
        for w, parts in words.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += count[w]
        if not pairs:
            break
        a, b = max(pairs, key=lambda p: (pairs[p], p))
        if a + b not in merges:
            merges.append(a + b)
        for w, parts in words.items():
            i = 0
            while i + 1 < len(parts):
                if parts[i] == a and parts[i + 1] == b:
                    parts[i:i + 2] = [a + b]
                i += 1
    # A character that no merge made is scored below all of them; its score is never compared.
    scores = [0.0] * len(pieces) + [-1.0 - i for i in range(len(merges) + len(chars))]
    return {"pieces": pieces + merges + chars, "scores": scores, "types": types + [NORMAL] * (len(merges) + len(chars))}


class Tokenizer:
    def __init__(self, vocab):
        self.pieces, self.scores = vocab["pieces"], vocab["scores"]
        self.id = {p: i for i, (p, t) in enumerate(zip(vocab["pieces"], vocab["types"])) if t == NORMAL}
        self.known = {}

    def merge(self, text):
        """Joins the neighbours whose joint piece has the best score, the leftmost of equals, until none is left."""
        parts, after = list(text), list(range(1, len(text) + 1))
        before, heap = list(range(-1, len(text) - 1)), []

        def offer(i):
            j = after[i] if i >= 0 else len(text)
            if j < len(text) and parts[i] + parts[j] in self.id:
                joint = parts[i] + parts[j]
                heapq.heappush(heap, (-self.scores[self.id[joint]], i, joint))
        for i in range(len(text)):
            offer(i)
        while heap:
            _, i, joint = heapq.heappop(heap)
            j = after[i]
            if not parts[i] or j >= len(text) or parts[i] + parts[j] != joint:
                continue
            parts[i], parts[j], after[i] = joint, "", after[j]
            if after[j] < len(text):
                before[after[j]] = i
            offer(before[i])
            offer(i)
        return [p for p in parts if p]

    def ids(self, word):
        if word not in self.known:
            out = []
            for piece in self.merge(word):
                out += [self.id[piece]] if piece in self.id else [3 + b for b in piece.encode()]
            self.known[word] = out
        return self.known[word]

    def encode(self, text):
        """Word by word: the same as over the whole text, for no piece reaches from one word into the next."""
        return [i for w in words_of(text) for i in self.ids(w)] if text else []

    def encode_whole(self, text):
        return self.ids(SPACE + text.replace(" ", SPACE)) if text else []

    def decode(self, ids):
        raw = b"".join(bytes([i - 3]) if 3 <= i < 259 else self.pieces[i].encode() for i in ids if i > EOS)
        text = raw.decode(errors="replace").replace(SPACE, " ")
        return text[1:] if text.startswith(" ") else text


if __name__ == "__main__":
    import grammar
    texts = list(grammar.stories(2, 20000, False))
    vocab = learn(texts, 1024, EXTRA)
    t = Tokenizer(vocab)
    for text in texts[:1000] + ["Zebras & 12 \u00e4pfel? a  b", "", " ", "\"Oh!\" xyz-qw"]:
        assert t.encode(text) == t.encode_whole(text), text
    for text in texts[:1000]:
        assert t.decode(t.encode(text)) == text
    length = sorted(len(t.encode(x)) for x in texts)
    print(len(vocab["pieces"]), "pieces; tokens of a story: mean", sum(length) / len(length), "longest", length[-1])
    json.dump(vocab, open(sys.argv[1], "w"))
