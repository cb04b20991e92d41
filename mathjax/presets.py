"""Shapes of known models as values of `config.Model`, for recipes."""

from mathjax.config import Model


def mathglm(layers: int, width: int, heads: int, **settings) -> Model:
    """A MathGLM decoder (2309.03241, section 4.4 of its tables): its 12 L h^2 parameters, the digits as vocabulary.

    The gated MLP here has three matrices where the original has two, so it is 8/3 as wide as the model, not 4 times.
    """
    return Model(
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=heads,
        head_dim=width // heads,
        mlp_width=round(8 * width / 3 / 32) * 32,
        **settings,
    )


MATHGLM = {
    "10M": mathglm(15, 256, 32),
    "100M": mathglm(35, 512, 32),
    "500M": mathglm(40, 1024, 32),
    "2B": mathglm(40, 2048, 32),
}

SMOLLM2_135M = Model(
    vocab_size=49_152,
    layers=30,
    width=576,
    heads=9,
    kv_heads=3,
    head_dim=64,
    mlp_width=1536,
    rope_base=100_000.0,
)


def llama(layers: int, width: int, heads: int, mlp_width: int, **settings) -> Model:
    """A decoder of the Llama family: untied tables, heads of width 128."""
    shape = {"kv_heads": heads, "vocab_size": 32_000, "context": 4096} | settings
    return Model(
        layers=layers, width=width, heads=heads, head_dim=128, mlp_width=mlp_width, tied_embeddings=False, **shape
    )


LLAMA2_7B = llama(32, 4096, 32, 11_008)
LLAMA2_13B = llama(40, 5120, 40, 13_824)
LLAMA2_70B = llama(80, 8192, 64, 28_672, kv_heads=8)
CODELLAMA_34B = llama(48, 8192, 64, 22_016, kv_heads=8, rope_base=1e6, context=16_384)

# What can be planned without asking the hub: the shapes of models by their names there.
PUBLISHED = {
    "HuggingFaceTB/SmolLM2-135M": SMOLLM2_135M,
    "meta-llama/Llama-2-7b-hf": LLAMA2_7B,
    "meta-llama/Llama-2-13b-hf": LLAMA2_13B,
    "meta-llama/Llama-2-70b-hf": LLAMA2_70B,
    "codellama/CodeLlama-34b-hf": CODELLAMA_34B,
}

# Learns arithmetic on two cores in minutes: few, wide layers with few, wide heads are what a CPU multiplies best.
QUICKSTART = Model(layers=3, width=192, heads=3, kv_heads=1, head_dim=64, mlp_width=512)
