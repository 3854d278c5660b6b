"""Files of the published models' full size, without data: what the program says of them, and how fast.

Usage: model_files_test.py PLUMB
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sparse_model  # noqa: E402
from tree import Report  # noqa: E402

MODELS = {"sd15": ("SD1", 1_066_235_307), "sdxl": ("SDXL", 3_468_837_867)}


def inspect(plumb, path):
    """The description, and the seconds of the fastest of three calls."""
    times = []
    for _ in range(3):
        begin = time.monotonic()
        done = subprocess.run([plumb, "inspect", str(path), "--json"], capture_output=True, timeout=60, check=True)
        times.append(time.monotonic() - begin)
    return json.loads(done.stdout)["pictures"], min(times)


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        for name, (family, elements) in MODELS.items():
            path = pathlib.Path(folder) / f"{name}.safetensors"
            sparse_model.write(name, path, "F16")
            model, seconds = inspect(sys.argv[1], path)
            report.expect(model["family"] == family and model["elements"] == elements, f"{name}: {model['family']}, {model['elements']}")
            report.expect(len(model["loads_with"]) == 4 and not model["missing"] + model["extra"] + model["misshaped"], f"{name} fits")
            print(f"{name}: {seconds:.3f} s")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
