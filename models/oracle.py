# SPDX-License-Identifier: MIT
"""What the grammar can say next, and how likely:  python3 oracle.py SAMPLES.txt  names the stories it cannot have told.

A story is read word by word. What is still possible is a set of states: what has to follow (stages of the story,
sentences, slots, the rest of a literal), what has been drawn so far, and how likely that is. A slot is drawn when it
is first spoken; from then on its word stands. This is stricter than a reader is: a story passes if the grammar could
have told it word for word."""
import functools
import re
import sys

import grammar as g

UNIT = re.compile(" ?[A-Za-z]+| ?[^A-Za-z ]+| ")  # what tokenizer.words_of cuts, with the space as a space
END = ""
HERO = {"h": 0, "him": 1, "his": 2, "self": 3}
FRIEND = {"f": 0, "fhim": 1, "fhis": 2}
MALE, FEMALE = ("he", "him", "his", "himself"), ("she", "her", "her", "herself")
ONCE = {"adj": g.ADJ, "fadj": g.FADJ, "color": g.COLOR, "place": g.PLACE, "like": g.LIKE, "good": g.GOOD, "parent": g.PARENT}
SUDDEN = [i for i, (own, _) in enumerate(g.PLOTS) if set(own) & g.SUDDEN]


@functools.lru_cache(None)
def parts(template):
    """(kind, value): literal text, a slot (with its capital letter), a choice, an article"""
    out = []
    for m in re.finditer(r"\{(\w+\+?)\}|\[([^]]*)\]|\b([aA])_ |[^{\[aA]+|[aA]", template):
        slot, choice, article = m.groups()
        out.append(("slot", slot) if slot else ("any", choice) if choice else
                   ("article", article) if article else ("text", m.group()))
    return tuple(out)


def person(env, friend, slot):
    """Ways to draw a part of the hero or the friend: (word, new facts, chance)"""
    name_key, kind_key, male_key, forms = ("F", "fkind", "fmale", FRIEND) if friend else ("H", "kind", "male", HERO)
    male = env.get(male_key)
    for he, chance in ((True, 0.5), (False, 0.5)) if male is None else ((male, 1.0),):
        facts = {male_key: he}
        if slot == name_key:
            names = (g.BOYS if he else g.GIRLS)[slice(12, None) if friend else slice(12)]
            for n in names:
                yield n, {**facts, name_key: n}, chance / len(names)
        elif slot == kind_key:
            kinds = [k for k in g.ANIMALS if not friend or k != env.get("kind")]
            if not friend:
                child = "boy" if he else "girl"
                yield child, {**facts, kind_key: child}, chance * 0.3
                chance *= 0.7
            for k in kinds:
                yield k, {**facts, kind_key: k}, chance / len(kinds)
        else:
            yield (MALE if he else FEMALE)[forms[slot]], facts, chance


def draw(slot, env):
    if slot in env:
        return [(env[slot], {}, 1.0)]
    if slot == "H" or slot == "kind" or slot in HERO:
        return person(env, False, slot)
    if slot == "F" or slot == "fkind" or slot in FRIEND:
        return person(env, True, slot)
    if slot == "day":
        words = ["Suddenly,", "After a while,"] if env["began"] else g.DAY
    elif slot in ONCE:
        words = ONCE[slot]
    else:
        words = [w for w in g.PLOTS[env["plot"]][0][slot] if w != "swim" or env["kind"] not in g.SWIMMERS]
    return [(w, {slot: w}, 1.0 / len(words)) for w in words]


def sentences(templates, *after, chance=1.0, **facts):
    return [((("part", t), *after), facts, chance / len(templates)) for t in templates]


def stage(name, env):
    """Ways to go on with the story: (what follows, new facts, chance)"""
    if name == "open":
        share = 0.3 * len(SUDDEN) / len(g.PLOTS)
        yield from sentences(g.OPEN, ("stage", "likes"), chance=1 - share, began=False)
        yield from sentences(g.OPEN_DAY, ("stage", "likes"), chance=share, began=True)
    elif name == "likes":
        weight = [(i in SUDDEN) if env["began"] else 0.7 if i in SUDDEN else 1.0 for i in range(len(g.PLOTS))]
        for i, w in enumerate(weight):
            chance, beats = w / sum(weight), ("beats", i, 0)
            if env["began"]:
                if w:
                    yield (beats,), {"plot": i}, chance
                continue
            alone = set(g.PLOTS[i][0]) & g.ALONE
            yield (beats,), {"plot": i}, 0.2 * chance
            yield from sentences([x for x in g.LIKES if not alone or "friend" not in x and "Everybody" not in x], beats,
                                 chance=0.8 * chance, plot=i)
    elif name == "end":
        own, beats = g.PLOTS[env["plot"]]
        plot, helped = set(own), "THANKS" in beats
        met = plot & g.OLD_FRIEND or "MEET" not in beats and helped or plot == {"thing"}
        known = env.get("known")
        cases = ((known, 1.0),) if known is not None else ((False, 1.0),) if plot & g.ALONE else ((True, 0.15), (False, 0.85))
        for k, chance in cases:
            unfit = (g.BEGINS_FRIENDSHIP if met or k else ()) + (g.ENDS_DAY if plot & g.GOES_HOME else ()) + \
                (() if helped else ("helped",))
            yield from sentences([e for e in g.END if not any(u in e for u in unfit)], ("stage", "last"), chance=chance)
    else:
        helped = "THANKS" in g.PLOTS[env["plot"]][1]
        yield from sentences([e for e in g.LAST if helped or "learned" not in e])


def beat(plot, i):
    own, beats = g.PLOTS[plot]
    if i == len(beats):
        return [((("stage", "end"),), {}, 1.0)]
    after = ("beats", plot, i + 1)
    if beats[i] == "MEET":
        known = 0.0 if set(own) & g.ALONE else 0.15
        return sentences(g.MEET, after, chance=1 - known, known=False) + \
            (sentences(g.MEET_KNOWN, after, chance=known, known=True) if known else [])
    return sentences(g.SHARED[beats[i]] if isinstance(beats[i], str) else beats[i], after)


def ways(item, env):
    kind, value = item[0], item[1]
    if kind == "part":
        return (((("text", " "), *parts(value)) if value else (), {}, 1.0),)
    if kind == "any":
        options = value.split("|")
        return tuple((parts(o), {}, 1.0 / len(options)) for o in options)
    if kind == "slot":
        capital, slot = value.endswith("+"), value.rstrip("+")
        return tuple((parts(w[:1].upper() + w[1:] if capital else w), facts, p) for w, facts, p in draw(slot, env))
    if kind == "stage":
        return stage(value, env)
    if kind == "beats":
        return beat(value, item[2])
    raise ValueError(item)


def with_facts(env, facts):
    return frozenset({**dict(env), **facts}.items()) if facts else env


START = {((("stage", "open"),), frozenset()): 1.0}


def following(states):
    """What may come next: word -> the states after it with their chances; END for the end of the story"""
    out = {}
    work = [(stack, env, p, "") for (stack, env), p in states.items()]
    while work:
        stack, env, p, word = work.pop()
        if not stack:
            put = out.setdefault(word, {})
            put[((), env)] = put.get(((), env), 0.0) + p
            continue
        item, rest = stack[0], stack[1:]
        if item[0] == "article":
            if rest[0][0] == "text":
                n = "n " if rest[0][1][0] in "aeiou" else " "
                work.append(((("text", item[1] + n),) + rest, env, p, word))
            else:  # what follows has to be drawn first
                for follow, facts, chance in ways(rest[0], dict(env)):
                    work.append(((item,) + follow + rest[1:], with_facts(env, facts), p * chance, word))
        elif item[0] == "text":
            text = word + item[1]
            end = UNIT.match(text).end()
            if end < len(text):
                left = (("text", text[end:]),) + rest
                put = out.setdefault(text[:end], {})
                put[(left, env)] = put.get((left, env), 0.0) + p
            else:
                work.append((rest, env, p, text))
        else:
            for follow, facts, chance in ways(item, dict(env)):
                work.append((follow + rest, with_facts(env, facts), p * chance, word))
    return out


def read(text):
    """Words that the grammar follows, then the first it cannot say (None if the whole story is possible)."""
    states, done = START, []
    for word in UNIT.findall(" " + text) + [END]:
        nxt = following(states)
        if word not in nxt:
            return done, word, nxt
        states = nxt[word]
        done.append(word)
    return done, None, {}


def targets(text, encode_word):
    """The story's tokens with </s>, and for each what the grammar could have said in its place: {token: chance}"""
    states, ids, chances = START, [], []
    longer = []  # ends of words that begin as the one before did
    for word in UNIT.findall(" " + text) + [END]:
        nxt = following(states)
        options = {w: (encode_word(w), sum(s.values())) for w, s in nxt.items()}
        told = options[word][0]
        for j in range(len(told)):
            at = {}
            for token, p in longer if j == 0 else ():
                at[token] = at.get(token, 0.0) + p
            for w, (tokens, p) in options.items():
                if tokens[:j] != told[:j]:
                    continue
                if len(tokens) > j:
                    at[tokens[j]] = at.get(tokens[j], 0.0) + p
                else:  # a shorter word, and the one behind it
                    for then, s in following(nxt[w]).items():
                        token = encode_word(then)[0]
                        at[token] = at.get(token, 0.0) + sum(s.values())
            total = sum(at.values())
            chances.append({t: p / total for t, p in at.items()})
        ids += told
        total = options[word][1]
        longer = [(t[len(told)], p / total) for t, p in options.values() if len(t) > len(told) and t[:len(told)] == told]
        states = {s: p / total for s, p in nxt[word].items()}
    return ids, chances


def main():
    blocks = re.split(r"^--- (.*)$", open(sys.argv[1]).read(), flags=re.M)
    bad = 0
    for name, text in zip(blocks[1::2], blocks[2::2]):
        done, word, nxt = read(text.strip())
        if word is not None:
            bad += 1
            print("%s: ...%s >%s< instead of %s" % (name, "".join(done[-8:]), word, sorted(nxt)[:6]))
    print("%d of %d are not of the grammar" % (bad, len(blocks) // 2))


if __name__ == "__main__":
    main()
