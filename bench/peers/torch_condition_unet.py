"""diffusers' UNet2DConditionModel in the sizes of bench/nn/condition_config.h: training steps of two small ones, the forward pass of Stable Diffusion
1.5's. Needs diffusers; an interpreter without it has no such rows."""
import torch
from torch.nn import functional as F

TINY = {"block_out_channels": (32, 64), "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1, "attention_head_dim": 4, "cross_attention_dim": 64, "norm_num_groups": 8}
SMALL = {"in_channels": 3, "out_channels": 3, "block_out_channels": (64, 128, 128), "attention_head_dim": 2, "cross_attention_dim": 128,
         "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
         "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")}
STABLE_DIFFUSION = {"cross_attention_dim": 768}


def make(options, size, side, tokens, memory):
    from diffusers import UNet2DConditionModel
    torch.manual_seed(0)
    net = UNet2DConditionModel(**options).to(memory_format=memory)
    generator = torch.Generator().manual_seed(1)
    channels = options.get("in_channels", 4)
    x, target = (torch.randn(size, channels, side, side, generator=generator).contiguous(memory_format=memory) for _ in range(2))
    return net, x, target, torch.arange(size).float(), torch.randn(size, tokens, options["cross_attention_dim"], generator=generator)


def training_step(options, side, tokens):
    def build(size, memory, compiled):
        net, x, target, t, text = make(options, size, side, tokens, memory)
        run = torch.compile(net) if compiled else net
        optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4, foreach=True)

        def step():
            optimiser.zero_grad(set_to_none=True)
            F.mse_loss(run(x, t, text, return_dict=False)[0], target).backward()
            optimiser.step()
        return step
    return build


def stable_diffusion_forward(size, memory, compiled):
    net, x, _, t, text = make(STABLE_DIFFUSION, size, 64, 77, memory)
    net.eval()
    run = torch.compile(net) if compiled else net

    def call():
        with torch.no_grad():
            run(x, t, text, return_dict=False)
    return call


BENCHMARKS = {"unet_condition_tiny_step": training_step(TINY, 16, 16), "unet_condition_step": training_step(SMALL, 32, 77),
              "unet_sd15_forward": stable_diffusion_forward}
