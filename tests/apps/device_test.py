"""--device from outside, without a device: `device_test.py PROGRAM`. Any trouble of CUDA's is one line and exit 2 for who asked
for it, and nothing to everybody else: no driver, a driver that finds nothing, one that fails, one that is no driver."""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.tree import Report  # noqa: E402

DRIVERS = {
    "no driver at all": None,
    "an empty library": "int nothing;\n",
    "a driver without a device": "int cuInit(unsigned f) { (void)f; return 100; }\n",
    "a driver that fails": "int cuInit(unsigned f) { (void)f; return 999; }\nint cuDriverGetVersion(int* v) { *v = 13000; return 0; }\n",
}


def run(program, *arguments, driver=None):
    environment = dict(os.environ)
    if driver:
        environment["LD_LIBRARY_PATH"] = driver
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, timeout=60, check=False)


def check(report, program, name, driver):
    for device in ("cuda", "cuda:0", "cuda:7"):
        asked = run(program, "op", "--list", "--device", device, driver=driver)
        report.expect(asked.returncode == 2, f"{name}: {device} exits 2, not {asked.returncode}")
        report.expect(asked.stderr.count("\n") == 1 and "--device cpu" in asked.stderr, f"{name}: one line, not {asked.stderr!r}")
    for device in ("cpu", "auto"):
        other = run(program, "op", "--list", "--device", device, driver=driver)
        report.expect(other.returncode == 0 and not other.stderr, f"{name}: {device} works")
        report.expect("conv2d" in other.stdout and "[cpu only]" not in other.stdout, "every op has a CUDA kernel")


def main():
    program, report = sys.argv[1], Report()
    if pathlib.Path("/dev/nvidiactl").exists():
        print("this machine has a driver")
        report.skipped += 1
        return report.finish()
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, source) in enumerate(DRIVERS.items()):
            driver = None
            if source:
                driver = pathlib.Path(folder, str(number))
                driver.mkdir()
                (driver / "driver.c").write_text(source, encoding="utf-8")
                subprocess.run(["cc", "-shared", "-fPIC", str(driver / "driver.c"), "-o", str(driver / "libcuda.so.1")], check=True)
            check(report, program, name, driver)
    for wrong in ("cud", "cuda:", "cuda:x", "cuda:-1", "cuda0", "gpu", "cuda:1x"):
        answer = run(program, "op", "--list", "--device", wrong)
        report.expect(answer.returncode == 2 and "cuda[:N]" in answer.stderr, f"--device {wrong} is refused by name")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
