"""What transformers' CLIPTokenizer makes of texts with a tokenizer that `plumb train --text_init` made of captions.

    python make_word_tokenizer_cases.py --plumb PROGRAM --out tests/golden/word_tokenizer

The captions become pictures of an imagefolder that one step is trained on; the folder OUT/model/tokenizer is then read by transformers.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from transformers import CLIPTokenizer

import case_files

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import pictures  # noqa: E402

CAPTIONS = ["a red circle left of a blue square", "two small green triangles, blurry", "one star above a star's ring", "an orange and a banana bandana",
            "A crisp café sign: 日本語!", "squares circles circle square rings ring", "3 rings on a plain ground (sharp)", ""]
TEXTS = [*CAPTIONS, "a blue circle", "RED Squares", "a green banana left of a star", "a mauve hexagon", "zyzzyva 42", "cafe\u0301 au lait", "nana ban band",
         "two  small\n\tgreen", "star's stars' 'star", "rings. rings! (rings)", "привет 😀", "<|endoftext|> a red", "a <|startoftext|>", "a " * 20, "!", "1234567",
         "circlesquare leftof"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--plumb", required=True)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    given = arguments.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        data, out = pathlib.Path(name) / "data", pathlib.Path(name) / "out"
        pictures.write(data, count=len(CAPTIONS), size=8)
        lines = [json.dumps({"file_name": f"{i:05}.png", "text": text}) for i, text in enumerate(CAPTIONS)]
        (data / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        subprocess.run([given.plumb, "train", "--train_data_dir", data, "--unet_init", "tiny", "--text_init", "tiny", "--train_text_encoder", "--resolution", "8",
                        "--max_train_steps", "1", "--train_batch_size", "1", "--quiet", "--report_to", "none", "--out", out], check=True)
        tokenizer = CLIPTokenizer.from_pretrained(out / "model" / "tokenizer")
        cases = []
        for text in TEXTS:
            ids = tokenizer(text, padding="max_length", truncation=True).input_ids
            cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
    header = {"made_by": "tests/golden/make_word_tokenizer_cases.py", "versions": case_files.versions("transformers", "tokenizers"), "captions": CAPTIONS,
              "size": len(tokenizer), "length": tokenizer.model_max_length}
    dumped = ",\n".join(json.dumps(line, separators=(",", ":")) for line in cases)
    (given.out / "cases.json").write_text("{" + json.dumps(header)[1:-1] + ', "cases": [\n' + dumped + "\n]}\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
