"""UNet2DModel of diffusers in plain torch.nn and under its names, in the sizes of our benchmarks. SMALL, of bench/nn/unet_bench.cpp:
UNet2DModel(block_out_channels=(64, 128, 128), down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"), layers_per_block=2, attention_head_dim=64, norm_num_groups=32); CIFAR, of bench/gpu: DDPM's
network for CIFAR-10, block_out_channels=(128, 256, 256, 256), attention in the second level and the middle. And STABLE_DIFFUSION, diffusers'
UNet2DConditionModel(cross_attention_dim=768), for machines without diffusers."""
import collections
import math

import torch
from torch import nn
from torch.nn import functional as F

LAYERS, GROUPS = 2, 32
# head: features of an attention head; attention: the levels that have it; picture: channels of x. With context (features of a token) the attention is that
# of transformers that look at a text, with HEADS heads.
Config = collections.namedtuple("Config", "channels head attention parameters picture context", defaults=(3, 0))
SMALL = Config((64, 128, 128), 64, (2,), 6472195)
CIFAR = Config((128, 256, 256, 256), 256, (1,), 35746307)
STABLE_DIFFUSION = Config((320, 640, 1280, 1280), 0, (0, 1, 2), 859520964, 4, 768)
HEADS = 8


class ResnetBlock(nn.Module):
    def __init__(self, in_channels, out_channels, features):
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.time_emb_proj = nn.Linear(features, out_channels)
        self.norm2 = nn.GroupNorm(GROUPS, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()

    def forward(self, x, time):
        h = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(F.silu(time))[:, :, None, None]
        return self.conv_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, channels, head):
        super().__init__()
        self.head = head
        self.group_norm = nn.GroupNorm(GROUPS, channels)
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x, context=None):
        n, c, h, w = x.shape
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)
        q, k, v = (to(tokens).view(n, h * w, c // self.head, self.head).transpose(1, 2) for to in (self.to_q, self.to_k, self.to_v))
        if hasattr(F, "scaled_dot_product_attention"):
            seen = F.scaled_dot_product_attention(q, k, v)
        else:
            seen = torch.softmax(q @ k.transpose(-1, -2) * self.head**-0.5, -1) @ v
        return x + self.to_out[0](seen.transpose(1, 2).reshape(n, h * w, c)).transpose(1, 2).reshape(n, c, h, w)


class TokenAttention(nn.Module):
    def __init__(self, channels, context):
        super().__init__()
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k, self.to_v = (nn.Linear(context, channels, bias=False) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x, seen):
        q, k, v = (to(given).unflatten(2, (HEADS, -1)).transpose(1, 2) for to, given in ((self.to_q, x), (self.to_k, seen), (self.to_v, seen)))
        return self.to_out[0](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.proj = nn.Linear(channels, 8 * channels)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.net = nn.Sequential(Gate(channels), nn.Identity(), nn.Linear(4 * channels, channels))

    def forward(self, x):
        return self.net(x)


class TransformerBlock(nn.Module):
    def __init__(self, channels, context):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(channels) for _ in range(3))
        self.attn1, self.attn2, self.ff = TokenAttention(channels, channels), TokenAttention(channels, context), FeedForward(channels)

    def forward(self, x, context):
        seen = self.norm1(x)
        x = x + self.attn1(seen, seen)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, channels, context):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels, eps=1e-6)
        self.proj_in, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(2))
        self.transformer_blocks = nn.ModuleList([TransformerBlock(channels, context)])

    def forward(self, x, context):
        inner = self.proj_in(self.norm(x))
        tokens = self.transformer_blocks[0](inner.flatten(2).transpose(1, 2), context)
        return x + self.proj_out(tokens.transpose(1, 2).unflatten(2, x.shape[2:]))


class Resample(nn.Module):
    def __init__(self, channels, up):
        super().__init__()
        self.up, self.conv = up, nn.Conv2d(channels, channels, 3, stride=1 if up else 2, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else x)


class Block(nn.Module):
    """A level: `pairs` are the channels in and out of its residual blocks, `attention` how many are followed by it."""

    def __init__(self, pairs, features, attention, resample, config):
        super().__init__()
        if attention:
            make = (lambda out: Transformer(out, config.context)) if config.context else (lambda out: Attention(out, config.head))
            self.attentions = nn.ModuleList([make(out) for _, out in pairs[:attention]])
        self.resnets = nn.ModuleList([ResnetBlock(before, out, features) for before, out in pairs])
        if resample:
            setattr(self, resample, nn.ModuleList([Resample(pairs[-1][1], resample == "upsamplers")]))


class TimeEmbedding(nn.Module):
    def __init__(self, width, features):
        super().__init__()
        self.half = width // 2
        self.linear_1, self.linear_2 = nn.Linear(width, features), nn.Linear(features, features)

    def forward(self, t):
        angles = t[:, None] * torch.exp(-math.log(10000) * torch.arange(self.half, device=t.device) / self.half)
        waves = torch.cat([torch.cos(angles), torch.sin(angles)], 1)
        return self.linear_2(F.silu(self.linear_1(waves.to(self.linear_1.weight.dtype))))


class UNet(nn.Module):
    def __init__(self, config=SMALL):
        super().__init__()
        channels = config.channels
        features, levels = 4 * channels[0], len(channels)
        self.conv_in = nn.Conv2d(config.picture, channels[0], 3, padding=1)
        self.time_embedding = TimeEmbedding(channels[0], features)
        down, up = [], []
        for i, out in enumerate(channels):
            pairs = [(channels[max(i - 1, 0)], out)] + [(out, out)] * (LAYERS - 1)
            down.append(Block(pairs, features, LAYERS * (i in config.attention), "downsamplers" if i < levels - 1 else None, config))
        rising = channels[::-1]
        for i, out in enumerate(rising):
            below, above = rising[max(i - 1, 0)], rising[min(i + 1, levels - 1)]
            pairs = [((below if j == 0 else out) + (above if j == LAYERS else out), out) for j in range(LAYERS + 1)]
            up.append(Block(pairs, features, (LAYERS + 1) * (levels - 1 - i in config.attention), "upsamplers" if i < levels - 1 else None, config))
        self.down_blocks, self.up_blocks = nn.ModuleList(down), nn.ModuleList(up)
        self.mid_block = Block([(channels[-1], channels[-1])] * 2, features, 1, None, config)
        self.conv_norm_out = nn.GroupNorm(GROUPS, channels[0])
        self.conv_out = nn.Conv2d(channels[0], config.picture, 3, padding=1)

    def forward(self, x, t, context=None):
        time = self.time_embedding(t)
        x = self.conv_in(x)
        skips = [x]
        for block in self.down_blocks:
            for i, resnet in enumerate(block.resnets):
                x = resnet(x, time)
                x = block.attentions[i](x, context) if hasattr(block, "attentions") else x
                skips.append(x)
            if hasattr(block, "downsamplers"):
                x = block.downsamplers[0](x)
                skips.append(x)
        x = self.mid_block.resnets[0](x, time)
        x = self.mid_block.resnets[1](self.mid_block.attentions[0](x, context), time)
        for block in self.up_blocks:
            for i, resnet in enumerate(block.resnets):
                x = resnet(torch.cat([x, skips.pop()], 1), time)
                x = block.attentions[i](x, context) if hasattr(block, "attentions") else x
            x = block.upsamplers[0](x) if hasattr(block, "upsamplers") else x
        return self.conv_out(F.silu(self.conv_norm_out(x)))


def variants():
    """name -> (memory format, compiled?)."""
    formats = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
    ways = {"eager": False, **({"compile": True} if hasattr(torch, "compile") else {})}
    return {f"{way}+{name}": (memory, compiled) for way, compiled in ways.items() for name, memory in formats.items()}


def make_net(memory, compiled):
    torch.manual_seed(0)
    net = UNet().to(memory_format=memory)
    assert sum(p.numel() for p in net.parameters()) == SMALL.parameters
    return net, torch.compile(net) if compiled else net


def pictures(count, memory, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, 32, 32, generator=generator).contiguous(memory_format=memory)


def forward(size, memory, compiled):
    _, run = make_net(memory, compiled)
    x, t = pictures(size, memory, 1), torch.arange(size).float()

    def call():
        with torch.no_grad():
            run(x, t)
    return call


def training_step(size, memory, compiled):
    net, run = make_net(memory, compiled)
    x, target, t = pictures(size, memory, 1), pictures(size, memory, 2), torch.arange(size).float()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4, foreach=True)

    def step():
        optimiser.zero_grad(set_to_none=True)
        F.mse_loss(run(x, t), target).backward()
        optimiser.step()
    return step


def dpo_step(pairs, memory, compiled):
    """Diffusion-DPO: noises winners and losers alike, frozen and trained forward of 2 `pairs` rows, backward, AdamW."""
    net, run = make_net(memory, compiled)
    _, frozen = make_net(memory, compiled)
    x0 = pictures(2 * pairs, memory, 1)
    bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-5, foreach=True)

    def step():
        t, noise = torch.randint(0, 1000, (pairs,)).repeat(2), torch.randn(pairs, 3, 32, 32).repeat(2, 1, 1, 1)
        alpha, sigma = bar[t].sqrt()[:, None, None, None], (1 - bar[t]).sqrt()[:, None, None, None]
        x = (alpha * x0 + sigma * noise).contiguous(memory_format=memory)
        with torch.no_grad():
            reference = frozen(x, t.float())
        prediction = run(x, t.float())
        (ew, el), (rw, rl) = ((each - noise).square().mean([1, 2, 3]).chunk(2) for each in (prediction, reference))
        optimiser.zero_grad(set_to_none=True)
        (-F.logsigmoid(-0.5 * 5000.0 * ((ew - el) - (rw - rl))).mean()).backward()
        optimiser.step()
    return step


BENCHMARKS = {"unet_forward": forward, "unet_step": training_step, "unet_dpo_step": dpo_step}
