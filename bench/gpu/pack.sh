#!/bin/sh
# bench/gpu/pack.sh [BUILD [FOLDER]]: puts what a machine with a GPU and nothing else needs into FOLDER (default BUILD/gpu_pack, under
# 64 MiB): pack.tar.gz, with the programs, the libraries they were linked against, golden data and the PyTorch peer, and run.sh, which does
# the rest there.
# CUDA's own libraries are not packed: that machine has them.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
build=${1:-$root/build}
folder=${2:-$build/gpu_pack}
most=67108864
pack=$folder/pack

for program in apps/plumb tests/gpu/gpu_test bench/gpu_bench; do
  [ -x "$build/$program" ] || { echo "pack: $build/$program is missing; ninja -C $build $program (needs -Dbench=true)" >&2; exit 2; }
done
rm -rf "$folder"
mkdir -p "$pack/bin" "$pack/lib" "$pack/bench/peers" "$pack/golden"
for program in apps/plumb tests/gpu/gpu_test bench/gpu_bench; do
  place=bin
  [ "$program" != bench/gpu_bench ] || place=bench
  strip -o "$pack/$place/${program##*/}" "$build/$program"
done
# The C and C++ libraries of the system there are used: they have to match its loader.
ldd "$pack"/bin/* "$pack/bench/gpu_bench" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
  grep -vE '/(libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s)\.so' | while read -r library; do
  strip -o "$pack/lib/${library##*/}" "$library" 2>/dev/null || cp -L "$library" "$pack/lib/${library##*/}"
done
cp -R "$root/tests/golden/ops" "$pack/golden/"
cp "$root"/bench/compare_gpu.py "$pack/bench/"
cp "$root"/bench/peers/torch_gpu.py "$root"/bench/peers/torch_gpu_steps.py "$root"/bench/peers/torch_unet.py "$pack/bench/peers/"
mkdir -p "$pack/tests/apps" "$pack/tests/support"
cp "$root/tests/apps/device_runs_test.py" "$pack/tests/apps/"
cp "$root/tests/support/pictures.py" "$root/tests/support/tree.py" "$pack/tests/support/"
(cd "$root" && git log -1 --format=%h 2>/dev/null || echo unknown) >"$pack/commit"
tar -czf "$pack.tar.gz" -C "$pack" .
rm -rf "$pack"
cp "$root/bench/gpu/run.sh" "$folder/"
bytes=$(du -sb "$folder" | cut -f1)
echo "$folder: $((bytes / 1048576)) MiB"
[ "$bytes" -lt "$most" ] || { echo "pack: $bytes bytes are more than $most" >&2; exit 1; }
