"""Writes safetensors_golden.h beside itself: a file made by the reference implementation.

Run: python tests/engine/io/safetensors_golden.py        (needs numpy and safetensors)
"""
import importlib.metadata
import pathlib

import numpy
import safetensors.numpy


def main():
    data = safetensors.numpy.save(
        {
            "b": numpy.array([[1.5, -2.0, numpy.inf], [0.1, numpy.nan, 3e38]], dtype=numpy.float32),
            "a": numpy.array([1 / 3], dtype=numpy.float32),
            "double": numpy.array(2.5, dtype=numpy.float64),
            "half/é": numpy.array([[1.0], [65504.0]], dtype=numpy.float16),
            "mask": numpy.array([True, False, True]),
            "none": numpy.zeros((0, 4), dtype=numpy.float16),
        },
        metadata={"format": "pt"},
    )
    rows = [", ".join(f"0x{byte:02x}" for byte in data[i : i + 16]) for i in range(0, len(data), 16)]
    text = f"""#pragma once

// Written by safetensors_golden.py; do not edit.
// safetensors {importlib.metadata.version("safetensors")}, numpy {numpy.__version__}

#include <cstdint>

namespace golden {{

inline const uint8_t safetensors_file[] = {{
    {(","+chr(10)+"    ").join(rows)}}};

}}  // namespace golden
"""
    pathlib.Path(__file__).with_name("safetensors_golden.h").write_text(text)


if __name__ == "__main__":
    main()
