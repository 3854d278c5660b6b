"""What a build owes to CUDA: `cuda_symbols_test.py BUILD_ROOT HAS_CUDA PROGRAM`.

Without CUDA nothing of it is in the engine. With it the kernels are, and the program still starts on a machine that has
no CUDA at all: the runtime is static and cuBLASLt is loaded when it is first needed.
"""

import pathlib
import re
import subprocess
import sys

from support.tree import Report

SYMBOL = re.compile(r"^(__)?(cuda|cublas|cublasLt|cudnn|nvtx|cu)[A-Z]\w*$")
SHARED = re.compile(r"NEEDED.*(libcu\w+|libnv\w+|libcudnn)")


def symbols(*files):
    output = subprocess.run(["nm", *files], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in output.splitlines() if len(line.split()) >= 2}


def of_cuda(names):
    return sorted(name for name in names if SYMBOL.match(name))


def main():
    build, has_cuda, program = pathlib.Path(sys.argv[1]), sys.argv[2] == "true", sys.argv[3]
    report = Report()
    report.expect(of_cuda({"cudaMalloc", "cuInit", "__cudaRegisterFunction"}) and not of_cuda({"cut", "_ZN5plumb4CudaE"}),
                  "the check knows CUDA's symbols")
    found = of_cuda(symbols(build / "engine/libengine.a"))
    if has_cuda:
        report.expect("cudaLaunchKernelExC" in found and "__cudaRegisterFunction" in found, "kernels in the engine")
    else:
        report.check(found, "a build without CUDA has none of its symbols")
    needed = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    report.check(SHARED.findall(needed), "the program needs no library of CUDA's to start")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
