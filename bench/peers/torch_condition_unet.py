"""diffusers' UNet2DConditionModel in the sizes of bench/nn/condition_config.h: training steps of two small ones, a preference step of the
study's, the forward pass of Stable Diffusion 1.5's. Needs diffusers; an interpreter without it has no such rows."""
import torch
from torch.nn import functional as F

TINY = {"block_out_channels": (32, 64), "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1, "attention_head_dim": 4, "cross_attention_dim": 64, "norm_num_groups": 8}
SMALL = {"in_channels": 3, "out_channels": 3, "block_out_channels": (64, 128, 128), "attention_head_dim": 2, "cross_attention_dim": 128,
         "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
         "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")}
RECIPE = {"in_channels": 3, "out_channels": 3, "block_out_channels": (24, 48, 96), "layers_per_block": 1, "attention_head_dim": 4,
          "cross_attention_dim": 64, "norm_num_groups": 8, "down_block_types": ("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
          "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D")}
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


def dpo_step(pairs, memory, compiled):
    """Diffusion-DPO as torch_unet.dpo_step, with 16 tokens of text for each pair."""
    (net, x0, _, _, text), frozen = make(RECIPE, 2 * pairs, 32, 16, memory), make(RECIPE, 1, 32, 16, memory)[0]
    run, text = torch.compile(net) if compiled else net, text[:pairs].repeat(2, 1, 1)
    bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-5, foreach=True)

    def step():
        t, noise = torch.randint(0, 1000, (pairs,)).repeat(2), torch.randn(pairs, 3, 32, 32).repeat(2, 1, 1, 1)
        alpha, sigma = bar[t].sqrt()[:, None, None, None], (1 - bar[t]).sqrt()[:, None, None, None]
        x = (alpha * x0 + sigma * noise).contiguous(memory_format=memory)
        with torch.no_grad():
            reference = frozen(x, t, text, return_dict=False)[0]
        prediction = run(x, t, text, return_dict=False)[0]
        (ew, el), (rw, rl) = ((each - noise).square().mean([1, 2, 3]).chunk(2) for each in (prediction, reference))
        optimiser.zero_grad(set_to_none=True)
        (-F.logsigmoid(-0.5 * 5000.0 * ((ew - el) - (rw - rl))).mean()).backward()
        optimiser.step()
    return step


def stable_diffusion_forward(size, memory, compiled):
    net, x, _, t, text = make(STABLE_DIFFUSION, size, 64, 77, memory)
    net.eval()
    run = torch.compile(net) if compiled else net

    def call():
        with torch.no_grad():
            run(x, t, text, return_dict=False)
    return call


BENCHMARKS = {"unet_recipe_dpo_step": dpo_step, "unet_condition_tiny_step": training_step(TINY, 16, 16), "unet_condition_step": training_step(SMALL, 32, 77),
              "unet_sd15_forward": stable_diffusion_forward}
