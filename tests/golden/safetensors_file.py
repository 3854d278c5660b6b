"""A small safetensors writer and reader, independent of the C++ one and of the safetensors package.

A tensor in memory is a torch tensor: numpy has no bfloat16.
"""
import json
import struct

import torch

NAME_OF = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8", torch.bool: "BOOL",
}
DTYPE_OF = {name: dtype for dtype, name in NAME_OF.items()}


def tensor_bytes(tensor):
    """Little-endian bytes in logical (row-major) order, whatever the strides."""
    # A fresh tensor: contiguous() keeps the odd stride that a single element may have, and view() refuses it.
    flat = torch.empty(tensor.numel(), dtype=tensor.dtype)
    flat.copy_(tensor.detach().reshape(-1))
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def save(path, tensors, metadata=None):
    """tensors: name -> tensor, written in the order given. The header is padded with spaces to 8 bytes."""
    header, blobs, offset = {}, [], 0
    if metadata:
        header["__metadata__"] = {key: str(value) for key, value in metadata.items()}
    # Widest elements first keeps every tensor aligned to its own size, as the format's reference writer does.
    order = sorted(tensors, key=lambda name: -tensors[name].element_size())
    for name in order:
        blob = tensor_bytes(tensors[name])
        header[name] = {
            "dtype": NAME_OF[tensors[name].dtype],
            "shape": list(tensors[name].shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for blob in blobs:
            file.write(blob)


def load(path):
    """name -> tensor. Raises ValueError when the file is not exactly what its header says."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 8:
        raise ValueError(f"{path}: shorter than its length field")
    (size,) = struct.unpack("<Q", data[:8])
    if 8 + size > len(data):
        raise ValueError(f"{path}: header of {size} bytes in a file of {len(data)}")
    header = json.loads(data[8:8 + size])
    body = data[8 + size:]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype = DTYPE_OF[entry["dtype"]]
        begin, end = entry["data_offsets"]
        raw = bytearray(body[begin:end])
        if len(raw) != end - begin:
            raise ValueError(f"{path}: tensor {name} lies outside the file")
        flat = torch.frombuffer(raw, dtype=torch.uint8).view(dtype) if raw else torch.empty(0, dtype=dtype)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors
