"""Learning-rate schedules and optimizers, by name."""

import optax
from optax.contrib import MuonDimensionNumbers, muon

from mathjax import config


def schedule(settings: config.Optimizer, steps: int):
    """The learning rate of step 0 .. steps-1: a linear warm-up to the peak, then the named decay to its end."""
    warmup = round(settings.warmup * steps)
    end, peak, rest = settings.end * settings.peak, settings.peak, max(steps - warmup, 1)
    decay = {
        "cosine": lambda: optax.cosine_decay_schedule(peak, rest, alpha=settings.end),
        "linear": lambda: optax.linear_schedule(peak, end, rest),
        "constant": lambda: optax.constant_schedule(peak),
        "inverse_sqrt": lambda: lambda step: peak * (max(warmup, 1) / (max(warmup, 1) + step)) ** 0.5,
    }[settings.schedule]()
    # Step 0 already learns: the ramp goes from peak/(warmup+1) to peak.
    ramp = optax.linear_schedule(peak / (warmup + 1), peak, warmup)
    return optax.join_schedules([ramp, decay], [warmup]) if warmup else decay


def build(settings: config.Optimizer, steps: int) -> optax.GradientTransformation:
    """Clipping by global norm, then the named optimizer under its schedule."""
    rate = schedule(settings, steps)
    chosen = {"adamw": _adamw, "muon": _muon}[settings.name](settings, rate)
    clip = optax.clip_by_global_norm(settings.clip) if settings.clip else optax.identity()
    return optax.chain(clip, chosen)


def _adamw(settings, rate):
    return optax.adamw(
        rate,
        b1=settings.b1,
        b2=settings.b2,
        eps=settings.epsilon,
        mu_dtype=settings.momentum_dtype,
        weight_decay=settings.weight_decay,
        mask=_kernels,
    )


def _muon(settings, rate):
    """Muon for the kernels of the layers, each of a stack by itself; Adam for embeddings and norms."""
    return muon(
        rate,
        weight_decay=settings.weight_decay,
        adam_b1=settings.b1,
        adam_b2=settings.b2,
        eps=settings.epsilon,
        mu_dtype=settings.momentum_dtype,
        consistent_rms=0.2,  # updates as large as Adam's, so that the same peak serves both
        muon_weight_dimension_numbers=_dimensions,
    )


def _kernels(params):
    """Weight decay is for matrices: not for norms, biases or embeddings."""
    return _map_names(params, lambda name: name in ("kernel", "lora_a", "lora_b"))


def _dimensions(params):
    numbers = MuonDimensionNumbers(reduction_axis=-2, output_axis=-1)
    return _map_names(params, lambda name: numbers if name == "kernel" else None)


def _map_names(tree, choose):
    return {name: _map_names(part, choose) if isinstance(part, dict) else choose(name) for name, part in tree.items()}
