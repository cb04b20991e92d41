"""Models from GGUF files: their metadata as a `config.Model`, their quantized arrays as params.

Reading takes the `gguf` package: pip install "mathjax[gguf]".
"""

import dataclasses
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from mathjax import config, mesh
from mathjax.model import layers, stream

ARCHITECTURES = {"llama": {}, "qwen2": {"qkv_bias": True}, "qwen3": {"qk_norm": True}}
TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K")
ROPE = "rope_freqs.weight"  # what each rotary frequency is divided by; only Llama 3's have it
NAMES = {  # of each array; a kernel lies there as [outputs, inputs]
    "embedding/table": "token_embd.weight",
    "norm/scale": "output_norm.weight",
    "head/table": "output.weight",
    "layers/attention_norm/scale": "blk.{}.attn_norm.weight",
    "layers/attention/query/kernel": "blk.{}.attn_q.weight",
    "layers/attention/query/bias": "blk.{}.attn_q.bias",
    "layers/attention/query_norm/scale": "blk.{}.attn_q_norm.weight",
    "layers/attention/key/kernel": "blk.{}.attn_k.weight",
    "layers/attention/key/bias": "blk.{}.attn_k.bias",
    "layers/attention/key_norm/scale": "blk.{}.attn_k_norm.weight",
    "layers/attention/value/kernel": "blk.{}.attn_v.weight",
    "layers/attention/value/bias": "blk.{}.attn_v.bias",
    "layers/attention/out/kernel": "blk.{}.attn_output.weight",
    "layers/mlp_norm/scale": "blk.{}.ffn_norm.weight",
    "layers/mlp/gate/kernel": "blk.{}.ffn_gate.weight",
    "layers/mlp/up/kernel": "blk.{}.ffn_up.weight",
    "layers/mlp/down/kernel": "blk.{}.ffn_down.weight",
}
# Settings that change what a model computes, without the architecture before them, and the values that change nothing.
NEUTRAL = {
    "expert_count": (0,),
    "expert_used_count": (0,),
    "use_parallel_residual": (False,),
    "logit_scale": (1,),
    "embedding_scale": (1,),
    "residual_scale": (1,),
    "attention.scale": (),
    "attn_logit_softcapping": (),
    "final_logit_softcapping": (),
}


@dataclasses.dataclass(frozen=True)
class Quantized:
    """An array of a file, whose rows are made into numbers as they are read; `heads` are those it is turned for."""

    tensor: object  # gguf.ReaderTensor
    heads: int = 0
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in reversed(self.tensor.shape))

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` in float32, with the pairs of rotary coordinates C/2 apart.

        Files of Llamas hold the two coordinates of a pair beside each other.
        """
        import gguf

        raw = self.tensor.data
        if self.heads:
            half = self.shape[0] // self.heads // 2
            head, second, pair = np.unravel_index(np.arange(start, stop), (self.heads, 2, half))
            raw = raw[np.ravel_multi_index((head, pair, second), (self.heads, half, 2))]
        else:
            raw = raw[start:stop]
        return gguf.quants.dequantize(np.asarray(raw), self.tensor.tensor_type).reshape(stop - start, *self.shape[1:])


def load(
    path, devices: jax.sharding.Mesh | None = None, *, dtype="float32", vocab_multiple: int = 1
) -> tuple[config.Model, dict]:
    """The model in a file, its params placed on the mesh (by default: all devices as data).

    ValueError, before anything of size is read, names the architecture, setting or type of number that is not
    supported.
    """
    path = pathlib.Path(path)
    fields, tensors = _open(path)
    model = read(fields, tensors, path)
    model.vocab_multiple = vocab_multiple
    for name, tensor in tensors.items():
        if tensor.tensor_type.name not in TYPES:
            kind = tensor.tensor_type.name
            raise ValueError(f"{path}: {name} is of type {kind}, which is not supported; {', '.join(TYPES)} are")
    turned = {"attn_q": model.heads, "attn_k": model.kv_heads} if fields["general.architecture"] == "llama" else {}
    found = {
        name: Quantized(tensor, next((heads for part, heads in turned.items() if f".{part}." in name), 0))
        for name, tensor in tensors.items()
    }
    stream.check(model, NAMES, found, path, lambda name: name == ROPE)
    devices = mesh.make(config.Mesh()) if devices is None else devices
    return model, stream.load(model, devices, jnp.dtype(dtype), NAMES, found)


def read_model(path) -> config.Model:
    """The shape of the model in a file, by its metadata; ValueError names what the decoder does not have."""
    path = pathlib.Path(path)
    return read(*_open(path), path)


def read(fields: dict, tensors: dict, where) -> config.Model:
    """The shape that the metadata of a file describes; ValueError names what the decoder does not have."""
    kind = fields.get("general.architecture")
    if kind not in ARCHITECTURES:
        raise ValueError(f"{where}: the architecture {kind!r} is not supported; {', '.join(ARCHITECTURES)} are")
    settings = {name.removeprefix(f"{kind}."): value for name, value in fields.items()}
    for key, neutral in NEUTRAL.items():
        if key in settings and settings[key] not in neutral:
            raise ValueError(f"{where}: {kind}.{key}={settings[key]!r} is not supported")
    try:
        width, heads = settings["embedding_length"], settings["attention.head_count"]
        model = config.Model(
            vocab_size=int(tensors["token_embd.weight"].shape[-1]),
            layers=settings["block_count"],
            width=width,
            heads=heads,
            kv_heads=settings.get("attention.head_count_kv", heads),
            head_dim=settings.get("attention.key_length", width // heads),
            mlp_width=settings["feed_forward_length"],
            context=settings["context_length"],
            rope_base=_float(settings.get("rope.freq_base", 10_000.0)),
            norm_epsilon=_float(settings["attention.layer_norm_rms_epsilon"]),
            tied_embeddings="output.weight" not in tensors,
            **ARCHITECTURES[kind],
        )
    except KeyError as error:
        raise ValueError(f"{where} lacks {error.args[0]}") from None
    _check_heads(model, settings, where)
    model.rope_scaling = _scaling(model, settings, tensors.get(ROPE), where)
    config.check(model, str(where))
    return model


def _open(path):
    """(metadata but the tokenizer's, arrays) of a file."""
    import gguf

    try:
        reader = gguf.GGUFReader(path)
    except (ValueError, OSError, IndexError) as error:
        raise ValueError(f"{path} is not read as a GGUF file: {error}") from error
    told = {name: field for name, field in reader.fields.items() if not name.startswith("tokenizer.")}
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    return {name: field.contents() for name, field in told.items()}, tensors


def _check_heads(model, settings, where):
    """ValueError where heads are turned in part, values have a width of their own, or a window hides tokens."""
    for key in ("rope.dimension_count", "attention.value_length"):
        if settings.get(key, model.head_dim) != model.head_dim:
            raise ValueError(f"{where}: {key}={settings[key]} is not supported beside heads of width {model.head_dim}")
    window = settings.get("attention.sliding_window") or model.context
    if window < model.context:
        raise ValueError(f"{where}: attention.sliding_window={window} is shorter than context_length={model.context}")


def _scaling(model, settings, factors, where):
    """The rotary scaling, from the metadata or from an array of factors, which has to be that of a Llama 3."""
    kind = settings.get("rope.scaling.type", "none")
    if kind == "linear":
        return config.RopeScaling(kind=kind, factor=_float(settings["rope.scaling.factor"]))
    if kind != "none":
        raise ValueError(f"{where}: rope.scaling.type={kind!r} is not supported; none and linear are")
    if factors is None:
        return None
    factors = np.asarray(factors.data, np.float32)
    scaling = config.RopeScaling(kind="llama3", factor=_float(factors.max()))
    plain, scaled = (layers.frequencies(dataclasses.replace(model, rope_scaling=x)) for x in (None, scaling))
    if not np.allclose(plain / scaled, factors, rtol=1e-4):
        raise ValueError(f"{where}: {ROPE} holds other factors than Llama 3's, which are not supported")
    return scaling


def _float(value):
    """The shortest decimal that a float32 stands for: 1e-05, not 9.999999747378752e-06."""
    return float(str(np.float32(value)))
