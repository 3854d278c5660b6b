"""Random shapes and values for test cases, chosen to be awkward: size 1, size 0, 0-d, odd sizes, planted extremes."""
import random

import torch

F64, F32, BF16, F16 = torch.float64, torch.float32, torch.bfloat16, torch.float16


class Draw:
    def __init__(self, seed, small=False):
        self.random = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.small = small
        self.turn = 0

    def cycle(self, *choices):
        """The choices in turn, for settings of which even the small sample must hold each."""
        self.turn += 1
        return choices[self.turn % len(choices)]

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, p):
        return self.random.random() < p

    def size(self):
        """1 and odd sizes often; a size past one vector register sometimes."""
        if self.small:
            return self.pick(1, 2, 3, 3, 4)
        return self.pick(1, 2, 3, 5, 7, 8, 13, 17, 33)

    def shape(self, low=0, high=4, empty=True):
        high = min(high, 3) if self.small else high
        rank = self.random.randint(max(low, 1), high)
        if low == 0 and self.chance(0.12):
            rank = 0
        shape = [self.size() for _ in range(rank)]
        while torch.Size(shape).numel() > (24 if self.small else 4000):
            shape[shape.index(max(shape))] //= 2
        if empty and rank and self.chance(0.08):
            shape[self.random.randrange(rank)] = 0
        return shape

    def large_shape(self):
        """One long row, so that vector bodies, tails and the splitting of a reduction are all visited."""
        return [self.pick(1025, 4097, 70001)]

    def any_shape(self, low=0, high=4, empty=True):
        return self.large_shape() if not self.small and self.chance(0.04) else self.shape(low, high, empty)

    def broadcast(self, shape):
        """A shape that broadcasts against `shape`: axes dropped from the front, others set to 1."""
        kept = list(shape[self.random.randint(0, len(shape)):]) if self.chance(0.5) else list(shape)
        return [1 if self.chance(0.3) else size for size in kept]

    def dtype(self, half=True):
        if half and self.chance(0.15):
            return self.pick(BF16, F16)
        return self.pick(F64, F32)

    def normal(self, shape, dtype=F64, scale=1.0):
        return (torch.randn(shape, generator=self.generator, dtype=F64) * scale).to(dtype)

    def uniform(self, shape, low, high, dtype=F64):
        return (torch.rand(shape, generator=self.generator, dtype=F64) * (high - low) + low).to(dtype)

    def integers(self, shape, low, high, dtype=torch.int64):
        """Integers in [low, high)."""
        return torch.randint(low, high, shape, generator=self.generator).to(dtype)

    def plant(self, tensor, values, p=0.5):
        """Overwrites a few elements with some of the values (with probability p that it happens at all)."""
        flat = tensor.reshape(-1)
        if flat.numel() and (self.chance(p) or self.small):
            places = self.random.sample(range(flat.numel()), min(max(flat.numel() // 8, len(values)), max(1, flat.numel() // 2)))
            for i, place in enumerate(places):
                flat[place] = values[i % len(values)] if i else self.pick(*values)
        return flat.reshape(tensor.shape)

    def dim(self, rank):
        """A dimension as a user may write it: negative half of the time. Rank 0 takes 0 and -1, as torch does."""
        return self.random.randrange(max(1, rank)) - (max(1, rank) if self.chance(0.5) else 0)

    def dims(self, rank):
        """A non-empty list of distinct dimensions, some negative."""
        count = self.random.randint(1, max(1, rank))
        chosen = self.random.sample(range(max(1, rank)), min(count, max(1, rank)))
        return [d - max(1, rank) if self.chance(0.3) else d for d in chosen]
