#!/usr/bin/env bash
# The full counts behind docs/reliability.md: tests/faults/full.sh BUILD_DIRECTORY
# Takes some minutes on an idle machine. Prints a line of numbers for every row; the exit status is the verdict.
set -uo pipefail
build=$(cd "${1:?usage: tests/faults/full.sh BUILD_DIRECTORY}" && pwd) || exit 2
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
ninja -C "$build" apps/plumb tests/faults/faults_test >/dev/null || exit 2
status=0
memory=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || memory=/dev/shm
PLUMB_FAULTS=full TMPDIR=$memory "$build/tests/faults/faults_test" || status=1
python3 tests/faults/faults_test.py "$build/apps/plumb" full || status=1

# R1: the calls that change files in a run, as the kernel sees them, to compare with what the shim intercepts.
if command -v strace >/dev/null; then
  folder=$(mktemp -d)
  changes=openat,write,fsync,rename,mkdir,rmdir,unlink,unlinkat,ftruncate,fdatasync,pwrite64,renameat,renameat2,linkat,fallocate
  strace -f -qq -e trace="$changes" -o "$folder/calls" "$build/apps/plumb" train --max_train_steps 2 \
    --checkpointing_steps 2 --classes 2 --samples_per_class 5 --hidden 4 --hidden_layers 1 --report_to none --quiet \
    --out "$folder/out" || status=1
  printf 'R1: calls of a run of train that change files, as the kernel counts them:\n'
  sed -nE 's/^[0-9]+ +([a-z0-9]+)\(.*/\1/p' "$folder/calls" | sort | uniq -c
  rm -rf "$folder"
fi
exit $status
