#!/bin/sh
# install_headers.sh INCLUDEDIR: copies the library's headers, from the tree and the generated ones, below INCLUDEDIR.
# Run by `meson install`, which sets the three variables. Headers for the library's own sources are left out.
set -eu
target=$MESON_INSTALL_DESTDIR_PREFIX/$1

for root in "$MESON_SOURCE_ROOT" "$MESON_BUILD_ROOT"; do
  for folder in engine autograd nn diffusion align; do
    [ ! -d "$root/$folder" ] || (cd "$root" && find "$folder" -name '*.h' ! -name '*_kernels.h' ! -name '*_cpu.h' ! -name '*_functors.h')
  done | while IFS= read -r header; do
    mkdir -p "$target/$(dirname "$header")"
    cp "$root/$header" "$target/$header"
    chmod 644 "$target/$header"
  done
done
