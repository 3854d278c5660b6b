"""The two layouts of a set of cases: one pair of files a case, and two files for all of them."""
import importlib
import json
import pathlib
import platform

import torch

import safetensors_file


def versions(*more):
    """Of Python, torch, NumPy and the modules named."""
    found = {"python": platform.python_version(), "torch": torch.__version__}
    return {**found, **{name: importlib.import_module(name).__version__ for name in ("numpy", *more)}}


def write_batch(out, cases, header, key):
    """cases: (entry, check, inputs, expected); entry[key] is the number of the case. The program reads entries only."""
    out.mkdir(parents=True, exist_ok=True)
    entries, checks = [], []
    for entry, check, inputs, expected in cases:
        n = entry[key]
        safetensors_file.save(out / f"{n}.in.safetensors", inputs)
        safetensors_file.save(out / f"{n}.expected.safetensors", expected)
        entries.append(entry)
        checks.append({**entry, **check})
    (out / "cases.json").write_text(json.dumps(entries, indent=0, allow_nan=False) + "\n")
    (out / "expected.json").write_text(json.dumps({**header, "cases": checks}, indent=0, allow_nan=False) + "\n")
    return len(entries)


def write_packed(out, cases, header, key):
    """One line a case in cases.json; tensors N.in.NAME and N.out.NAME in cases.safetensors."""
    entries, tensors = [], {}
    for entry, check, inputs, expected in cases:
        entries.append({**entry, **check})
        tensors.update({f"{entry[key]}.in.{name}": tensor for name, tensor in inputs.items()})
        tensors.update({f"{entry[key]}.out.{name}": tensor for name, tensor in expected.items()})
    return write_lines(out, entries, tensors, header)


def write_lines(out, entries, tensors, header):
    """cases.json with one line an entry, and cases.safetensors."""
    out.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(entry, separators=(",", ":"), allow_nan=False) for entry in entries)
    (out / "cases.json").write_text("{" + json.dumps(header)[1:-1] + ', "cases": [\n' + lines + "\n]}\n")
    safetensors_file.save(out / "cases.safetensors", tensors)
    return len(entries)


def add_arguments(parser):
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=pathlib.Path, help="folder for one pair of files a case")
    where.add_argument("--packed", type=pathlib.Path, help="folder for the two files of the committed sample")


def write(arguments, cases, header, key):
    """Writes what the command line asked for and says so."""
    folder = arguments.packed or arguments.out
    count = (write_packed if arguments.packed else write_batch)(folder, cases, {**header, "versions": versions()}, key)
    print(f"{count} cases in {folder}")
