"""--device cuda from outside, on the emulated device: `emulated_test.py PROGRAM`. The program finds one device, uses it, and
answers as it does on the CPU."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
from support.tree import Report  # noqa: E402


def tensor_file(path, tensors):
    """Writes float32 tensors {name: (shape, values)} as safetensors."""
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        packed = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def run(program, *arguments, **variables):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "CUDA_VISIBLE_DEVICES": "0", **variables})


def main():
    program, report = str(pathlib.Path(sys.argv[1]).resolve()), Report()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        x = [((i * 37) % 101 - 50) / 25 for i in range(6 * 40)]
        tensor_file(folder / "0.in.safetensors", {"0": ([6, 40], x), "g0": ([6, 40], x[::-1])})
        tensor_file(folder / "1.in.safetensors", {"0": ([6, 40], x), "1": ([40, 6], x[::-1]), "g0": ([6, 6], x[:36])})
        (folder / "cases.json").write_text(json.dumps([
            {"n": 0, "op": "silu", "attrs": {}, "grad": True}, {"n": 1, "op": "matmul", "attrs": {}, "grad": True}]))
        answers = {}
        for device in ("cpu", "cuda", "cuda:0"):
            answer = run(program, "op", "--batch", folder, "--device", device)
            report.expect(answer.returncode == 0 and not answer.stderr, f"op --batch on {device}: {answer.stderr!r}")
            answers[device] = [(folder / f"{n}.out.safetensors").read_bytes() for n in range(2)]
        report.expect(answers["cuda"][0] == answers["cpu"][0], "silu has the CPU's bits on the device")
        report.expect(answers["cuda"] == answers["cuda:0"], "the same answer twice")
        weights = []
        for name, flags, variables in (("eager", ["--cuda_graph=false"], {}), ("graph", [], {}), ("lazy", [], {"PLUMB_EMULATOR_LAZY": "1"})):
            answer = run(program, "train", "--device", "cuda", "--max_train_steps", 20, "--train_batch_size", 32, "--hidden", 16,
                         "--samples_per_class", 20, "--use_ema", "--quiet", "--out", folder / name, *flags, **variables)
            report.expect(answer.returncode == 0, f"train, {name}: {answer.stderr!r}")
            weights.append((folder / name / "model/unet/diffusion_pytorch_model.safetensors").read_bytes())
        report.expect(weights[0] == weights[1], "a training replayed as a graph has the bits of the eager one")
        report.expect(weights[1] == weights[2], "and on a device that does nothing before it is waited for")
    for device, hidden in (("cuda:1", "0"), ("cuda", "")):
        refused = run(program, "op", "--list", "--device", device, CUDA_VISIBLE_DEVICES=hidden)
        report.expect(refused.returncode == 2 and refused.stderr.count("\n") == 1, f"{device}: {refused.stderr!r}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
