"""Simple captioned pictures, as an imagefolder: circles and squares in four colours on plain grounds.

    python tests/support/pictures.py DIR [--count 64] [--size 32] [--seed 0] [--labels]

The same arguments give the same bytes. Needs nothing but Python; PNG files are written chunk by chunk.
"""

import argparse
import json
import pathlib
import random
import struct
import zlib

COLOURS = {"red": (214, 40, 40), "green": (40, 160, 60), "blue": (40, 80, 200), "yellow": (235, 200, 40)}
SHAPES = ("circle", "square")
EDGE = 4  # samples a pixel in each direction


def png(width, height, rows):
    """The bytes of an RGB PNG; rows: bytes objects of 3 * width."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def coverage(shape, x, y, radius):
    """Share of the pixel at (x, y), from the shape's middle, that lies inside."""
    inside = 0
    for i in range(EDGE):
        for j in range(EDGE):
            u, v = x + (i + 0.5) / EDGE, y + (j + 0.5) / EDGE
            inside += u * u + v * v <= radius * radius if shape == "circle" else max(abs(u), abs(v)) <= radius
    return inside / EDGE**2


def draw(size, shape, colour, chance):
    ground = 200 + chance.randrange(50)
    radius = size * chance.uniform(0.18, 0.32)
    left, top = (chance.uniform(radius + 1, size - radius - 1) for _ in range(2))
    rows = []
    for y in range(size):
        row = bytearray()
        for x in range(size):
            share = coverage(shape, x - left, y - top, radius)
            row += bytes(round(share * value + (1 - share) * ground) for value in COLOURS[colour])
        rows.append(bytes(row))
    return png(size, size, rows)


def write(folder, count=64, size=32, seed=0, labels=False):
    """Captions are "a red circle"; with labels the class is the shape and the colour."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    chance, lines = random.Random(seed), []
    for n in range(count):
        shape, colour = chance.choice(SHAPES), chance.choice(list(COLOURS))
        name = f"{n:05}.png"
        (folder / name).write_bytes(draw(size, shape, colour, chance))
        lines.append({"file_name": name, "text": f"a {colour} {shape}"} | ({"label": f"{colour} {shape}"} if labels else {}))
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--labels", action="store_true")
    arguments = parser.parse_args()
    write(arguments.folder, arguments.count, arguments.size, arguments.seed, arguments.labels)


if __name__ == "__main__":
    main()
