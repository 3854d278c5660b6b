"""Writes a small vocabulary for CLIP's tokenizer, the configurations of several folders, and what transformers' CLIPTokenizer makes of many texts.

    python make_tokenizer_cases.py --out tests/golden/tokenizer

transformers 5 has one CLIPTokenizer, built on the tokenizers package; it is the one that diffusers' pipelines use. A folder is vocab.json and
merges.txt of OUT, or tokenizer.json, with the files of OUT/FOLDER beside them.
"""
import argparse
import collections
import json
import pathlib
import random
import shutil
import tempfile

import transformers
from transformers import CLIPTokenizer

import case_files

CORPUS = """a photo of a cat's tail in the street café straße 日本語 photo cat the the street they're i'm we'll don't 2024 😀 😀 !!! ... hello world
hello there an astronaut riding a horse on mars painting oil painting, highly detailed; masterpiece (best quality) привет мир 東京 naïve coöperate"""
TEXTS = [
    "", " ", "  \t\n ", "a", "A photo of a CAT", "a  photo\n\nof\ta cat ", "hello, world!!!", "hello , world ! ! !", "it's we're they've i'm we'll don't he'd",
    "IT'S WE'RE", "''s 's' 'x 'sx 'll'll 're-'ve", "'", "''", "'''s", "123", "12abc34", "3.14159 2,5 1e-5 ½ ² Ⅷ ٣ 四", "café CAFÉ cafe\u0301 CAFE\u0301",
    "Straße STRASSE ẞ ß", "ΣΊΣΥΦΟΣ ς σ Σ", "İstanbul ıI", "naïve coöperate Ångström Å \u212b", "日本語 東京タワー こんにちは ｶﾀｶﾅ", "한국어 \u1112\u1161\u11ab\u1100\u116e\u11a8",
    "привет МИР Ёлка", "עברית العربية हिन्दी ไทย", "😀 😃👍🏽 👨‍👩‍👧‍👦 🇩🇪 ❤️", "e\u0301\u0323 e\u0323\u0301 a\u0308\u0304 \u0344 \u0958 \ufb1d", "\u0301a \u0301", "a\u0000b\u0001c\u001fd\u007fe\u0080f\u0085g",
    "a\u001cb\u001db\u001e\u001f", "no\u00a0break\u2003em\u200bzero\u200d\ufeff\u2028\u2029\u3000wide", "<|startoftext|>", "<|endoftext|>", "a cat<|endoftext|>a dog",
    "<|startoftext|>a cat<|endoftext|>", "<|ENDOFTEXT|>", "x<|EndOfText|>!!y", "!<|STARTOFTEXT|>!", "<|endoftext|><|endoftext|>", "<| endoftext |>", "<|endoftext", "|endoftext|>",
    "!", "!!", "a!", "! a", "hello!world", "! !", "</w>", "a</w>", "Ġ Ģ Ā", "#version: 0.2", "\\n \"quoted\" 'single' `back`", "a_b-c+d=e/f\\g|h~i^j", "(((masterpiece:1.2))) [best] {x}",
    "ﬁ ﬂ ǅ Ǆ Ŀ", "K Å Ω \u2126\u212a", "ⅷ Ⅷ Ⓐ Ａ１", "𝒜𝓑 𝟙𝟚 𐐀𐐁 𞤀", "\U0001e922 \ua7cb \u1c89 \U00010d50 \U00016ea0", "\u0f43 \u2adc \u1100\u1161 \uac00\u11a7\uac00\u11a8", "a" * 300,
    "a cat " * 60, "1" * 100, "é" * 90, "日" * 80, "word " * 74, "word " * 75, "word " * 76, "!" * 80, "<|endoftext|>" * 80, "\uffff \U0010ffff \ue000",
    "a\u089c\u0323\u0328 a\u0345\u1ac3\u0323 \U00011082\U000110ba \u0f71\u0f72\u0f74 \u0344\u0323 <\u0338 \u1112\u1161\u0323\u11ab",
]
POOLS = ["abcdefghij ", "aeiouAEIOU ", "thehellocatphoto ' s", "'stremvld ", "0123456789 ", "!?.,;:-_()<|> ", "éèüßñçøÅÄÖ ", "日本語東京 ", "приветМИР ", "\u0301\u0308\u0323\u0327ae ",
         "\u1100\u1161\u11a8\u1102\u1165 ", "😀👍🏽\u200d❤️ ", " \t\n\u00a0\u2003"]
SWEEP = 1024


def byte_symbols():
    """Printable Latin-1 first, then the other bytes as characters from 256 on."""
    order = [*range(33, 127), *range(161, 173), *range(174, 256)]
    names = {byte: chr(byte) for byte in order}
    for byte in range(256):
        if byte not in names:
            names[byte] = chr(256 + len(order) - 188)
            order.append(byte)
    return order, names


def join(word, pair):
    result = []
    for symbol in word:
        if result and (result[-1], symbol) == pair:
            result[-1] += symbol
        else:
            result.append(symbol)
    return tuple(result)


def train(names, count):
    words = collections.Counter()
    for word in CORPUS.lower().split():
        symbols = [names[byte] for byte in word.encode()]
        words[(*symbols[:-1], symbols[-1] + "</w>")] += 1
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = collections.Counter({join(word, best): times for word, times in words.items()})
    return merges


def token(content, typed, normalized=True):
    plain = {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False}
    return {"__type": "AddedToken", **plain} if typed else plain


def configurations(vocabulary):
    """Those of Stable Diffusion 1, of SDXL's second encoder, and of a file as newer versions write it."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    base = {"add_prefix_space": False, "do_lower_case": True, "errors": "replace", "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    for folder, pad in (("padded_by_end", end), ("padded_by_mark", "!")):
        yield folder, {
            "tokenizer_config.json": {**base, "bos_token": token(start, True), "eos_token": token(end, True), "pad_token": pad, "unk_token": token(end, True)},
            "special_tokens_map.json": {"bos_token": token(start, False), "eos_token": token(end, False), "pad_token": pad, "unk_token": token(end, False)}}
    decoder = {str(vocabulary[text]): {**token(text, False, text == end), "special": True} for text in ("!", start, end)}
    decoder[str(len(vocabulary))] = {**token("<My Cat>", False), "special": False}
    decoder[str(len(vocabulary) + 1)] = {**token("日本", False, False), "special": True}
    yield "numbered", {"tokenizer_config.json": {**base, "model_max_length": 12, "added_tokens_decoder": decoder, "bos_token": start, "eos_token": end, "pad_token": "!", "unk_token": end},
                       "special_tokens_map.json": {"pad_token": "x"}}
    yield "plain", {"added_tokens.json": {"<cat-toy>": len(vocabulary)}}


def random_texts(count):
    draw = random.Random(7)
    for _ in range(count):
        pools = [draw.choice(POOLS) for _ in range(draw.randint(1, 3))]
        yield "".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(1, 40)))


def fnv(ids):
    value = 0xCBF29CE484222325
    for byte in ",".join(map(str, ids)).encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def swept(begin):
    """Characters of a block: all of the small planes, some of those that hold CJK and private use."""
    return [code for code in range(begin, begin + SWEEP) if not 0xD800 <= code < 0xE000 and (code < 0x3400 or 0xA000 <= code < 0xAC80 or 0xF900 <= code < 0x1FA00 or code % 97 == 0)]


def cases_of(folder, tokenizer, texts):
    for text in texts:
        full = tokenizer(text).input_ids
        fitted = tokenizer(text, padding="max_length", truncation=True, max_length=min(tokenizer.model_max_length, 77)).input_ids
        yield {"folder": folder, "text": text, "ids": full, "length": len(fitted), "tail": fitted[-2:], "decoded": tokenizer.decode(full, skip_special_tokens=True),
               "decoded_all": tokenizer.decode(full)}


def scrambled(tokenizer, count):
    """Tokens whose bytes are no text."""
    draw = random.Random(8)
    for _ in range(count):
        ids = [draw.randrange(len(tokenizer)) for _ in range(draw.randint(1, 12))]
        yield {"ids": ids, "text": tokenizer.decode(ids)}


def sweep(tokenizer):
    for begin in range(0, 0x110000, SWEEP):
        codes = swept(begin)
        if codes:
            text = "".join(chr(code) + "e" + chr(code) + " " for code in codes)
            yield {"begin": begin, "hash": format(fnv(tokenizer(text).input_ids), "016x")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    out = parser.parse_args().out
    transformers.logging.set_verbosity_error()
    out.mkdir(parents=True, exist_ok=True)
    order, names = byte_symbols()
    merges = train(names, 110)
    symbols = [names[byte] for byte in order]
    vocabulary = {text: i for i, text in enumerate([*symbols, *[s + "</w>" for s in symbols], *[a + b for a, b in merges], "<|startoftext|>", "<|endoftext|>"])}
    (out / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (out / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    lines, blocks = [], []
    for folder, files in configurations(vocabulary):
        (out / folder).mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as whole:
            for name in ("vocab.json", "merges.txt"):
                shutil.copy(out / name, whole)
            for name, content in files.items():
                (out / folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
                shutil.copy(out / folder / name, whole)
            tokenizer = CLIPTokenizer.from_pretrained(whole)
            texts = TEXTS if folder != "padded_by_end" else [*TEXTS, *random_texts(250)]
            if folder in ("numbered", "plain"):
                texts = [*TEXTS[:60], "my cat", "a <My Cat> <my cat>x日本語", "<cat-toy> <CAT-TOY>"]
            lines += cases_of(folder, tokenizer, texts)
            if folder == "padded_by_end":
                blocks, broken = list(sweep(tokenizer)), list(scrambled(tokenizer, 200))
                tokenizer.save_pretrained(whole + "/saved")
                (out / "one_file").mkdir(exist_ok=True)
                for name in ("tokenizer.json", "tokenizer_config.json"):
                    shutil.copy(f"{whole}/saved/{name}", out / "one_file")
                lines += cases_of("one_file", CLIPTokenizer.from_pretrained(whole + "/saved"), TEXTS[:50])
    saved = json.loads((out / "one_file" / "tokenizer.json").read_text())
    (out / "one_file" / "tokenizer.json").write_text(json.dumps(saved, ensure_ascii=False, separators=(",", ":")) + "\n")
    header = {"made_by": "tests/golden/make_tokenizer_cases.py", "versions": case_files.versions("transformers", "tokenizers"), "sweep": blocks, "scrambled": broken}
    dumped = ",\n".join(json.dumps(line, separators=(",", ":")) for line in lines)
    (out / "cases.json").write_text("{" + json.dumps(header)[1:-1] + ', "cases": [\n' + dumped + "\n]}\n")
    print(len(lines), "cases,", len(blocks), "blocks")


if __name__ == "__main__":
    main()
