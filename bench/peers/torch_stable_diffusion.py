"""The parts of Stable Diffusion beside its UNet, as bench/nn/stable_diffusion_bench.cpp has them. Needs diffusers and transformers; an interpreter
without them has no such rows."""
import torch


def autoencoder(shape, run):
    def build(size, memory, compiled):
        from diffusers import AutoencoderKL
        torch.manual_seed(0)
        net = AutoencoderKL(block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                            layers_per_block=2).to(memory_format=memory).eval()
        x = torch.randn(size, *shape, generator=torch.Generator().manual_seed(1)).contiguous(memory_format=memory)
        part = torch.compile(lambda: run(net, x)) if compiled else lambda: run(net, x)

        def call():
            with torch.no_grad():
                part()
        return call
    return build


def text_encoder(size, memory, compiled):
    from transformers import CLIPTextConfig, CLIPTextModel
    torch.manual_seed(0)
    net = CLIPTextModel(CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_attention_heads=12)).eval()
    part = torch.compile(net) if compiled else net
    ids = torch.randint(0, 49408, (size, 77), generator=torch.Generator().manual_seed(1))

    def call():
        with torch.no_grad():
            part(ids)
    return call


BENCHMARKS = {"vae_sd_decode": autoencoder((4, 64, 64), lambda net, x: net.decode(x, return_dict=False)),
              "vae_sd_encode": autoencoder((3, 512, 512), lambda net, x: net.encode(x, return_dict=False)), "clip_l_forward": text_encoder}
