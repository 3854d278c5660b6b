"""Runs the built program as a user does: help, results of the small verbs, and what bad input gets.

Usage: verbs_test.py PLUMB
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from tree import Report  # noqa: E402

SCREEN = 24  # lines of a terminal
TRAIN = ("--max_train_steps 30 --checkpointing_steps 20 --train_batch_size 16 --classes 3 --samples_per_class 20 "
         "--hidden 8 --hidden_layers 2 --report_to none --quiet").split()


class Program:
    """The program, its report and a folder to work in."""

    def __init__(self, plumb, folder, report):
        self.plumb, self.folder, self.report = plumb, folder, report

    def __call__(self, *words):
        words = [self.plumb, *map(str, words)]
        return subprocess.run(words, capture_output=True, cwd=self.folder, timeout=60, check=False)

    def good(self, *words):
        """Standard output of a call that must succeed."""
        done = self(*words)
        self.report.expect(done.returncode == 0, f"{' '.join(map(str, words))}: exit {done.returncode} {done.stderr}")
        return done.stdout.decode()

    def refused(self, *words, says=""):
        """A call that must exit with 2, say why in one line, print no result and leave no file."""
        before = tree(self.folder)
        done = self(*words)
        error = done.stderr.decode()
        what = f"{' '.join(map(str, words))}: exit {done.returncode}, {error!r}"
        self.report.expect(done.returncode == 2 and error.startswith("plumb: error: ") and says in error, what)
        self.report.expect(error.count("\n") == 1 and error.endswith("\n") and not done.stdout, f"one line: {what}")
        self.report.check([f"left {name}: {what}" for name in sorted(tree(self.folder) ^ before)])


def tree(folder):
    return {(str(path), path.stat().st_size) for path in folder.rglob("*")}


def check_help(program):
    overview = program.good("--help")
    verbs = [line.split()[0] for line in overview.splitlines() if line.startswith("  ")]
    program.report.expect({"train", "sample", "inspect", "gradcheck", "graph"} <= set(verbs), f"verbs: {verbs}")
    for verb in verbs:
        text = program.good(verb, "--help")
        program.report.expect(text == program.good("help", verb), f"help {verb} and {verb} --help agree")
        program.report.expect(text.count("\n") <= SCREEN, f"{verb} --help has {text.count(chr(10))} lines")
        program.report.expect(f"Example: plumb {verb}" in text, f"{verb} --help has an example")
        program.refused(verb, "--no_such_flag", says="no_such_flag")


def read_tensors(path):
    """{name: values} and the metadata of a file of f32 and i64 tensors."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    values = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        code = {"F32": "f", "I64": "q"}[entry["dtype"]]
        values[name] = struct.unpack(f"<{(end - begin) // struct.calcsize(code)}{code}", data[begin:end])
    return values, metadata


def png_text(path):
    """The tEXt chunks of a picture."""
    data, at, found = path.read_bytes(), 8, {}
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"tEXt":
            key, value = data[at + 8:at + 8 + size].split(b"\0", 1)
            found[key.decode()] = value.decode()
        at += 12 + size
    return found


def check_sample(program):
    folder, report = program.folder, program.report
    program.good("train", *TRAIN, "--out", "run")
    common = ("sample", "--model", "run/model", "--num_inference_steps", 5, "--quiet")
    program.good(*common, "--num_samples", 500, "--sampler", "ddpm", "--threads", 1, "--out", "one")
    values, metadata = read_tensors(folder / "one/samples.safetensors")
    report.expect(len(values["samples"]) == 1000 and values["labels"][:5] == (0, 1, 2, 0, 1), "classes in turn")
    text = png_text(folder / "one/samples.png")
    report.expect(text["parameters"] == metadata["parameters"] and "Sampler: DDPM" in text["parameters"], str(text))
    report.expect(json.loads(text["plumb"])["num_inference_steps"] == 5, "settings in the picture")
    xml.dom.minidom.parse(str(folder / "one/samples.svg"))
    # Threads change no bit. A sample depends on its own row, up to the rounding of products of another height.
    for threads in (1, 3):
        program.good(*common, "--num_samples", 100, "--sampler", "ddpm", "--threads", threads, "--out", f"few{threads}")
    few, other = ((folder / f"few{threads}/samples.safetensors") for threads in (1, 3))
    report.expect(few.read_bytes() == other.read_bytes(), "the same bytes with three threads")
    pairs = zip(read_tensors(few)[0]["samples"], values["samples"])
    report.expect(all(abs(x - y) <= 1e-4 for x, y in pairs), "the first samples of more samples")
    program.good("sample", "--config", "one/config.toml", "--out", "again")
    again = (folder / "again/samples.safetensors").read_bytes()
    report.expect(again == (folder / "one/samples.safetensors").read_bytes(), "config.toml repeats the run")
    program.good(*common, "--class", 2, "--rng", "torch", "--guidance_scale", 2, "--negative_class", 0, "--out", "two")
    report.expect(set(read_tensors(folder / "two/samples.safetensors")[0]["labels"]) == {2}, "one class")
    for words, says in (
        (("--class", 3), "[0, 3)"), (("--class", "x"), "--class"), (("--class", "1x"), "--class"),
        (("--guidance_scale", 2), "--negative_class"), (("--negative_class", 1), "--guidance_scale"),
        (("--guidance_scale", 2, "--negative_class", 3), "3 classes"), (("--num_inference_steps", 101), "[1, 100]"),
        (("--num_inference_steps", 0), "--num_inference_steps"), (("--num_samples", 0), "--num_samples"),
        (("--eta", -1), "--eta"), (("--sampler", "euler"), "ddim"), (("--out", "/dev/null/x"), "output folder"),
        (("--device", "cuda"), "cuda"), (("--rng", "numpy"), "torch"),
    ):
        program.refused("sample", "--model", "run/model", "--out", "bad", *words, says=says)
    program.refused("sample", "--out", "bad", says="--model")
    program.refused("sample", "--model", "nowhere", "--out", "bad", says="nowhere")
    config = folder / "run/model/unet/config.json"
    text = config.read_text(encoding="utf-8")
    for size in (9, 1 << 20, 1 << 62, 0, -8, "8", 8.5):
        config.write_text(text.replace('"hidden": 8', f'"hidden": {json.dumps(size)}'), encoding="utf-8")
        program.refused("sample", "--model", "run/model", "--out", "bad")
    config.write_text(text, encoding="utf-8")
    config = folder / "run/model/scheduler/scheduler_config.json"
    text = config.read_text(encoding="utf-8")
    for old, new in (('timesteps": 100', 'timesteps": 1000000000000'), ('timesteps": 100', 'timesteps": 0'),
                     ('"linear"', '"curved"'), ('beta_end": 0.2', 'beta_end": 2'), ("{", "[")):
        config.write_text(text.replace(old, new, 1), encoding="utf-8")
        program.refused("sample", "--model", "run/model", "--out", "bad")
    config.write_text(text, encoding="utf-8")
    weights = folder / "run/model/unet/diffusion_pytorch_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4])
    program.refused("sample", "--model", "run/model", "--out", "bad", says=weights.name)
    weights.write_bytes(whole)


def check_train(program):
    (program.folder / "file").write_text("x", encoding="utf-8")
    for words, says in (
        (("--classes", 0), "--classes"), (("--max_train_steps", 0), "--max_train_steps"),
        (("--train_batch_size", -1), "--train_batch_size"), (("--learning_rate", "nan"), "--learning_rate"),
        (("--learning_rate", 0), "--learning_rate"), (("--lr_warmup_steps", 4000), "warm-up"),
        (("--beta_start", 0.5, "--beta_end", 0.1), "beta"), (("--beta_end", 1), "beta"),
        (("--ema_decay", 1.5), "--ema_decay"), (("--prediction_type", "noise"), "epsilon"),
        (("--train_data", "nowhere.safetensors"), "nowhere"), (("--train_data", "file"), "file"),
        (("--out", "file"), "file"), (("--out", "/proc/nope"), "output folder"), (("--out", ""), "--out"),
        (("--config", "nowhere.toml"), "nowhere.toml"), (("--max_train_stps", 5), "max_train_steps"),
    ):
        program.refused("train", "--out", "bad", *words, says=says)


def check_inspect(program):
    folder, report = program.folder, program.report
    file = json.loads(program.good("inspect", "run/model/unet/diffusion_pytorch_model.safetensors", "--json"))
    model = json.loads(program.good("inspect", "run/model", "--json"))
    report.expect(model["class"] == "PointDiffusionPipeline" and model["verified"], "the model is whole")
    sizes = [tensor["elements"] for tensor in file["tensors"]]
    report.expect(model["elements"] == file["elements"] == sum(sizes), "the parameter counts agree")
    run = json.loads(program.good("inspect", "run", "--json"))
    report.expect([entry["step"] for entry in run["checkpoints"]] == [20] and run["model"] == model, "a run's folder")
    for path in ("run", "run/model", "run/checkpoint-20", "one/samples.safetensors"):
        report.expect("safetensors" in program.good("inspect", path, "--tensors"), f"inspect {path}")
    program.refused("inspect", says="path")
    program.refused("inspect", "nowhere", says="nowhere")
    program.refused("inspect", ".", says="no checkpoint")
    program.refused("inspect", "file", says="file")
    # A file cut at any point, or with a bit of a verified file turned, is named.
    whole = (folder / "one/samples.safetensors").read_bytes()
    for size in (0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        (folder / "cut").write_bytes(whole[:size])
        program.refused("inspect", "cut", says="cut")
    for path in ("checkpoint-20/optimizer.safetensors", "checkpoint-20/manifest.json", "model/unet/config.json"):
        target = folder / "run" / path
        whole = bytearray(target.read_bytes())
        whole[len(whole) // 2] ^= 1
        kept, _ = target.read_bytes(), target.write_bytes(whole)
        program.refused("inspect", "run", says=target.name)
        target.write_bytes(kept)


def write_tensors(path, tensors, metadata=None):
    """A safetensors file of f32: {name: (shape, values)}."""
    header, data = {"__metadata__": metadata or {}}, b""
    for name, (shape, values) in tensors.items():
        end = len(data) + 4 * len(values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), end]}
        data += struct.pack(f"<{len(values)}f", *values)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def adapter_tensors(down, up, rank):
    """An adapter of the model's first layer [8, in] in PEFT's names."""
    return {"unet.layers.0.lora_A.weight": ([rank, len(down) // rank], down),
            "unet.layers.0.lora_B.weight": ([8, rank], up)}


def check_merge(program):
    folder, report = program.folder, program.report
    weights = "model/unet/diffusion_pytorch_model.safetensors"
    base = read_tensors(folder / "run" / weights)[0]
    inputs, rank, alpha = len(base["layers.0.weight"]) // 8, 2, 6.0
    down = [((7 * i) % 11 - 5) / 16 for i in range(rank * inputs)]
    up = [((5 * i) % 7 - 3) / 8 for i in range(8 * rank)]
    # A PEFT folder, and the same in kohya's names, where a tensor holds alpha.
    (folder / "peft").mkdir()
    write_tensors(folder / "peft/adapter_model.safetensors", adapter_tensors(down, up, rank))
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "target_modules": ["layers.0"]}
    (folder / "peft/adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    write_tensors(folder / "kohya.safetensors", {
        "lora_unet_layers_0.lora_down.weight": ([rank, inputs, 1, 1], down),
        "lora_unet_layers_0.lora_up.weight": ([8, rank, 1, 1], up), "lora_unet_layers_0.alpha": ([], [alpha])})
    common = ("merge", "--model", "run/model", "--quiet")
    program.good(*common, "--adapter", "peft", "--out", "merged")
    program.good(*common, "--adapter", "kohya.safetensors", "--out", "merged2")
    bytes_of = [(folder / name / weights).read_bytes() for name in ("merged", "merged2")]
    report.expect(bytes_of[0] == bytes_of[1], "PEFT and kohya names give one model")
    merged = read_tensors(folder / "merged" / weights)[0]
    for o in range(8):
        for i in range(inputs):
            delta = sum(up[o * rank + r] * down[r * inputs + i] for r in range(rank)) * alpha / rank
            at = o * inputs + i
            error = abs(merged["layers.0.weight"][at] - base["layers.0.weight"][at] - delta)
            report.expect(error <= 1e-6, f"merged weight {o}, {i} is off by {error}")
    others = [name for name in base if name != "layers.0.weight" and base[name] != merged[name]]
    report.check([f"merge changed {name}" for name in others])
    program.good(*common, "--adapter", "peft", "--lora_scale", 0, "--out", "same")
    report.expect(read_tensors(folder / "same" / weights)[0] == base, "scale 0 is the base")
    program.good("merge", "--config", "merged/config.toml", "--out", "again")
    report.expect((folder / "again" / weights).read_bytes() == bytes_of[0], "config.toml repeats the merge")
    program.good("sample", "--model", "merged/model", "--num_inference_steps", 2, "--num_samples", 6, "--quiet",
                 "--out", "drawn")
    report.expect("merged 1 layers" in program.good(*common[:-1], "--adapter", "peft", "--out", "same"), "says so")
    report.expect("rank 2" in program.good("inspect", "peft"), "inspect shows an adapter")
    check_merge_refusals(program, common, down, up)


def check_merge_refusals(program, common, down, up):
    folder = program.folder
    tensors = adapter_tensors(down, up, 2)
    tensors["unet.layers.9.lora_A.weight"] = tensors.pop("unet.layers.0.lora_A.weight")
    write_tensors(folder / "wrong.safetensors", tensors)
    for says in ("missing: unet.layers.0.lora_A.weight", "extra: unet.layers.9.lora_A.weight"):
        program.refused(*common, "--adapter", "wrong.safetensors", "--out", "bad", says=says)
    write_tensors(folder / "wrong.safetensors", adapter_tensors(down[:-2], up, 2))
    program.refused(*common, "--adapter", "wrong.safetensors", "--out", "bad", says="misshaped")
    write_tensors(folder / "wrong.safetensors", adapter_tensors(down, [float("nan")] * len(up), 2))
    program.refused(*common, "--adapter", "wrong.safetensors", "--out", "bad", says="layers.0.weight is not finite")
    program.refused(*common, "--adapter", "nowhere", "--out", "bad", says="nowhere")
    program.refused(*common, "--adapter", "run", "--out", "bad", says="pytorch_lora_weights.safetensors")
    program.refused(*common, "--out", "bad", says="--adapter")
    program.refused("merge", "--adapter", "peft", "--out", "bad", says="--model")
    program.refused("merge", "--adapter", "peft", "--model", "peft", "--out", "bad", says="unet/config.json")
    program.refused(*common, "--adapter", "peft", "--lora_scale", "inf", "--out", "bad", says="--lora_scale")
    program.refused(*common, "--adapter", "peft", "--out", "run", says="another --out")


def check_gradcheck(program):
    report = program.report
    result = json.loads(program.good("gradcheck", "all", "--json"))
    names = {check["name"] for check in result["checks"]}
    ops = {line.split("(")[0] for line in program.good("op", "--list").splitlines()}
    objectives = {line.split()[0] for line in program.good("objective", "--list").splitlines()}
    report.expect(result["passed"] and names == ops | objectives, f"not checked: {(ops | objectives) ^ names}")
    checked = [check for check in result["checks"] if check["has_gradient"]]
    report.expect(all(check["passed"] and check["elements"] > 0 for check in checked), "each compares something")
    for seed in range(1, 6):
        program.good("gradcheck", "all", "--seed", seed)
    report.expect("ok" in program.good("gradcheck", "--objective", "ddspo", "--set", "beta=2"), "an objective's option")
    program.refused("gradcheck", says="--objective")
    program.refused("gradcheck", "sotfmax", says="softmax")
    program.refused("gradcheck", "--objective", "nothing", says="nothing")
    program.refused("gradcheck", "--objective", "ddspo", "--set", "beta=-1", says="beta")
    program.refused("gradcheck", "silu", "--set", "beta=1", says="--objective")


def check_graph(program):
    folder, report = program.folder, program.report
    for what in ("mlp", "sft", "ddspo"):
        summary = json.loads(program.good("graph", "--what", what, "--json", "--out", "graph"))
        dot = (folder / "graph/graph.dot").read_text(encoding="utf-8")
        report.expect(dot.count("[label") == summary["ops"] + summary["leaves"], f"{what}: a box a node")
        report.expect("layers.0.weight" in dot and "class_embedding.weight" in dot, f"{what}: leaves have names")
        xml.dom.minidom.parse(str(folder / "graph/graph.svg"))
    program.refused("graph", "--what", "dspo_", "--out", "bad", says="--what")
    program.refused("graph", "--set", "beta=1", "--out", "bad", says="--what")
    program.refused("graph", "--hidden_layers", 0, "--out", "bad", says="--hidden_layers")
    program.refused("graph", "--out", "file", says="file")


def check_trace(program):
    folder, report = program.folder, program.report
    small = ["trace", "--batch", 8, "--hidden", 8, "--steps", 2, "--out", "trace"]
    for threads in (1, 2):
        summary = json.loads(program.good(*small, "--threads", threads, "--json"))
        report.expect(summary["finite"] and summary["first_non_finite"] is None, "a healthy step is finite")
        report.expect(sum(row["calls"] for row in summary["ops"]) > 30, "trace lists the ops")
        events = json.loads((folder / "trace/trace.json").read_text(encoding="utf-8"))["traceEvents"]
        names = {event["name"] for event in events if event["ph"] == "X"}
        report.expect({"forward", "backward", "adam_step"} <= names and any(name.startswith("d linear") for name in names),
                      f"events: {sorted(names)}")
    xml.dom.minidom.parse(str(folder / "trace/memory.svg"))
    report.expect((folder / "trace/memory.csv").read_text(encoding="utf-8").startswith("time_us,"), "memory.csv")
    text = program.good(*small)
    report.expect("ops explain" in text and "memory: peak" in text, f"tables: {text}")
    report.expect("no op made a NaN" in program.good(*small, "--find_nan"), "--find_nan says that there was none")
    blown = json.loads(program.good(*small, "--learning_rate", "1e30", "--json"))["first_non_finite"]
    report.expect(blown and blown["op"].startswith("forward / linear") and blown["inputs_finite"], f"blown up: {blown}")
    program.refused("trace", "--network", "tay", "--out", "bad", says="did you mean toy")
    program.refused("trace", "--objective", "dspo_", "--out", "bad", says="--objective")
    program.refused("trace", "--forward", "--backward", "--out", "bad", says="--forward")


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        program = Program(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(name), report)
        check_help(program)
        check_train(program)
        check_sample(program)
        check_merge(program)
        check_inspect(program)
        check_gradcheck(program)
        check_graph(program)
        check_trace(program)
        for word in ("version", "kernels", "BLAS core"):
            report.expect(word in program.good("about"), f"about names the {word}")
        report.expect("BLAS core" in program.good("--version"), "--version names the BLAS core")
        program.refused("trian", says="train")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
