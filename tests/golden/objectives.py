"""Every alignment objective as a few lines of PyTorch, written from the formulas in the papers and the specification.

Nothing here is shared with Plumb. Inputs are float64 tensors; `o` holds the options with defaults filled in.
Each function returns {"loss": [1], "logit": ..., "implicit_accuracy": [1]} (the last two where the objective has them),
and leaves in `o["sensitivity"]` how many units the logit moves when a per-sample error moves by one. `o["shift"]` is added to every
logit: it shows what a rounding error there does to the other outputs.
"""
import torch
import torch.nn.functional as F


def errors(prediction, target, o):
    """[N]: squared error of each sample, mean or sum over everything but the batch."""
    squares = ((prediction - target) ** 2).flatten(1)
    return squares.sum(1) if o["reduction"] == "sum" else squares.mean(1)


def halves(tensor):
    """Winners and losers."""
    return tensor.chunk(2, 0)


def scaled(z, x, o):
    """Logits times logit_scale, where the case has one."""
    if "logit_scale" not in x:
        return z
    o["sensitivity"] *= float(x["logit_scale"].abs().max())
    return z * x["logit_scale"]


def margin(x, o):
    (ew, el), (rw, rl) = halves(errors(x["pred"], x["target"], o)), halves(errors(x["ref"], x["target"], o))
    return (ew - el) - (rw - rl)


def pairwise(loss, z):
    return {"loss": loss.reshape(1), "logit": z, "implicit_accuracy": (z > 0).to(z.dtype).mean().reshape(1)}


def sft(x, o):
    winners, _ = halves(errors(x["pred"], x["target"], o))
    o["sensitivity"] = 0.0
    return {"loss": winners.mean().reshape(1)}


def dpo_logit(x, o):
    o["sensitivity"] = o["beta"] / 2
    return scaled(-o["beta"] / 2 * margin(x, o), x, o) + o["shift"]


def wrong(z):
    """1 - sigmoid(z), value and gradient good in both tails."""
    return torch.exp(F.logsigmoid(-z))


def diffusion_dpo(x, o):
    z = dpo_logit(x, o)
    return pairwise(-F.logsigmoid(z).mean(), z)


def ddspo(x, o):
    z = dpo_logit(x, o)
    terms = -F.logsigmoid(z)
    if o["loss_weight"] == "linear":
        t, _ = halves(x["timesteps"])
        terms = terms * t.to(z.dtype) / (o["T"] - 1)
    return pairwise(terms.mean(), z)


def self_dpo(x, o):
    z = dpo_logit(x, o)
    winners, _ = halves(errors(x["pred"], x["target"], o))
    return pairwise(o["lambda1"] * winners.mean() + o["lambda2"] * -F.logsigmoid(z).mean(), z)


def diffusion_kto(x, o):
    g = errors(x["ref"], x["target"], o) - errors(x["pred"], x["target"], o)
    s = x["labels"].to(g.dtype)
    if o["offset"] == "mean":
        k = g.detach().mean().clamp(min=0)
    elif o["offset"] == "balanced":
        k = (g.detach()[s > 0].mean() + g.detach()[s < 0].mean()) / 2
    else:
        rolled = errors(x["ref_roll"], x["target"], o) - errors(x["pred_roll"], x["target"], o)
        k = rolled.detach().mean()
    o["sensitivity"] = 2 * o["beta"]
    z = scaled(s * o["beta"] * (g - k), x, o) + o["shift"]
    rest = {"sigmoid": wrong, "loss_averse": lambda v: 1 - F.logsigmoid(v), "risk_seeking": lambda v: 1 + F.logsigmoid(-v)}[o["utility"]]
    return pairwise(rest(z).mean(), z)


def mapo(x, o):
    def phi(e):
        u = 0.5 * e
        return u * torch.exp(-u) / -torch.expm1(-u)  # u / expm1(u) without its overflow
    ew, el = halves(errors(x["pred"], x["target"], o))
    o["sensitivity"] = float(o["T"])
    z = scaled(o["T"] * (phi(ew) - phi(el)), x, o) + o["shift"]
    return pairwise(ew.mean() - o["b"] * F.logsigmoid(z).mean(), z)


def outer(elements, o):
    """DSPO's outer average: over everything, or summed within a sample."""
    return elements.flatten(1).sum(1).mean() if o["reduction"] == "sum" else elements.mean()


def dspo_logit(x, o):
    m = margin(x, o)
    strength = torch.full_like(m, o.get("temperature", o["beta"]) / 2)
    if o["time_weights"] == "paper":
        bars = x["alphas_cumprod"]
        t, _ = halves(x["timesteps"])
        before = torch.where(t > 0, bars[(t - 1).clamp(min=0)], torch.ones_like(bars[t]))
        alpha = bars[t] / before
        first_beta = 1 - bars[0]
        strength = strength * (1 - alpha) / (torch.maximum(1 - before, first_beta) * alpha)
    o["sensitivity"] = float(strength.max())
    return scaled(-strength * m, x, o) + o["shift"]


def dspo_loss(x, o, data_score):
    z = dspo_logit(x, o)
    weight = wrong(z)
    if o["detach_weight"]:
        weight = weight.detach()
    (pw, _), (rw, _) = halves(x["pred"]), halves(x["ref"])
    outside = o.get("lambda", o["beta"]) * o["gamma"]
    weight = weight.reshape([-1] + [1] * (pw.dim() - 1))
    return pairwise(outer(((pw - data_score) - outside * weight * (pw - rw)) ** 2, o), z)


def dspo(x, o):
    return dspo_loss(x, o, halves(x["target"])[0])


def dspo_ref(x, o):
    return dspo_loss(x, o, halves(x["ref"])[0])


def dspo_e(x, o):
    (pw, _), (rw, _), (tw, _) = halves(x["pred"]), halves(x["ref"]), halves(x["target"])
    o["sensitivity"] = 0.0
    return {"loss": outer(((pw - tw) - o.get("lambda", o["beta"]) * o["gamma"] * (pw - rw)) ** 2, o).reshape(1)}


def dspo_xl(x, o):
    z = dpo_logit(x, o)
    weight = wrong(z)
    (pw, _), (rw, _) = halves(x["pred"]), halves(x["ref"])
    if ((pw - rw) ** 2).mean() >= 0.1:
        terms = (weight.reshape([-1] + [1] * (pw.dim() - 1)) * (pw - rw)) ** 2
        return pairwise(outer(terms, o), z)
    return pairwise((weight ** 2).mean(), z)


DEFAULTS = {
    "sft": {},
    "diffusion_dpo": {"beta": 5000.0},
    "ddspo": {"beta": 16000.0, "loss_weight": "none", "T": 1000},
    "self_dpo": {"beta": 5000.0, "lambda1": 0.5, "lambda2": 0.5},
    "diffusion_kto": {"beta": 5000.0, "offset": "mean", "utility": "sigmoid"},
    "mapo": {"b": 0.1, "T": 1000},
    "dspo": {"beta": 0.001, "gamma": 1.0, "detach_weight": False, "time_weights": "none"},
    "dspo_ref": {"beta": 0.001, "gamma": 1.0, "detach_weight": False, "time_weights": "none"},
    "dspo_e": {"beta": 0.001, "gamma": 1.0},
    "dspo_xl": {"beta": 5000.0},
}
FUNCTIONS = {name: globals()[name] for name in DEFAULTS}


def evaluate(name, options, inputs, shift=0.0):
    """inputs: name -> tensor as stored. Returns (outputs in float64 with grad_pred, options with `sensitivity`)."""
    o = {"reduction": "mean", "shift": shift, **DEFAULTS[name], **options}
    x = {key: value.to(torch.float64) if value.is_floating_point() else value for key, value in inputs.items()}
    x["pred"] = x["pred"].clone().requires_grad_(True)
    out = FUNCTIONS[name](x, o)
    (grad,) = torch.autograd.grad(out["loss"].sum(), x["pred"])
    return {**{key: value.detach() for key, value in out.items()}, "grad_pred": grad}, o
