#!/bin/sh
# run.sh [PART...]: on a machine with a GPU, from the folder that bench/gpu/pack.sh made. Parts: test (each op against float64, memory, graphs, the
# program's verbs), sanitize (compute-sanitizer on our own kernels), bench (beside PyTorch); all of them by default, in about ten minutes together.
# Logs go to $OUT (default: out beside this script), a short summary to standard output. Exit status 1 when a part failed.
set -u
folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
OUT=${OUT:-$folder/out}
python=${PYTHON:-python3}
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
mkdir -p "$OUT"
tar -xzf "$folder/pack.tar.gz" -C "$here" || exit 2

# cuBLASLt and cuDNN as pip lays them out beside PyTorch, else the toolkit's.
cuda_libraries=$("$python" - <<'PYTHON' 2>/dev/null
import pathlib, sysconfig
packages = pathlib.Path(sysconfig.get_paths()["purelib"]) / "nvidia"
print(":".join(str(folder) for folder in sorted(packages.glob("*/lib"))))
PYTHON
)
export LD_LIBRARY_PATH="$here/lib:${cuda_libraries:+$cuda_libraries:}/usr/local/cuda/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export PLUMB_GOLDEN_DIR="$here/golden"
failed=0

# part NAME SECONDS COMMAND...: at most so long; its last lines are shown, all of it is kept.
part() {
  name=$1 limit=$2
  shift 2
  begin=$(date +%s)
  timeout "$limit" "$@" >"$OUT/$name.log" 2>&1
  status=$?
  [ $status = 0 ] || failed=1
  printf '== %s: exit %d, %d s\n' "$name" $status $(($(date +%s) - begin))
  tail -n "${lines:-12}" "$OUT/$name.log"
}

run_part() {
  case $1 in
    test)
      part test 150 "$here/bin/gpu_test"
      part runs 60 "$python" "$here/tests/apps/device_runs_test.py" "$here/bin/plumb"
      ;;
    sanitize)
      # Small shapes: the tools slow a kernel down by tens of times. cuDNN's and cuBLAS' own kernels are left out.
      for tool in memcheck racecheck initcheck synccheck; do
        lines=4 part "sanitize_$tool" 45 compute-sanitizer --tool $tool --error-exitcode 3 --kernel-name-exclude regex:cudnn\|cublas\|cutlass\|xmma \
          "$here/bin/gpu_test" -tc='op on a device: every golden case*,gpu: random draws*'
      done
      ;;
    bench)
      lines=120 part bench_steps 160 "$python" "$here/bench/compare_gpu.py" --build "$here" --rounds 3 --names '_(step|forward)(_eager)?/' --json "$OUT/steps.json"
      lines=120 part bench_ops 100 "$python" "$here/bench/compare_gpu.py" --build "$here" --rounds 2 --seconds 0.1 --variants eager \
        --names '/(320x64|1280x16)' --json "$OUT/ops.json"
      lines=120 part bench_products 100 "$python" "$here/bench/compare_gpu.py" --build "$here" --rounds 2 --seconds 0.1 --variants eager \
        --names '/(m|n):' --json "$OUT/products.json"
      ;;
    *) echo "run: no part $1 (test, sanitize, bench)" >&2; exit 2 ;;
  esac
}

printf 'commit %s\n' "$(cat "$here/commit")"
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,power.draw --format=csv,noheader 2>/dev/null | tee "$OUT/device.txt"
[ $# -gt 0 ] || set -- test sanitize bench
for each in "$@"; do run_part "$each"; done
exit $failed
