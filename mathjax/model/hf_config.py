"""`config.json` of Hugging Face models as a `config.Model`, and back."""

from mathjax import config

# What an architecture adds to Llama's decoder, and what its config.json means where it says nothing.
ARCHITECTURES = {
    "LlamaForCausalLM": ({}, {}),
    "MistralForCausalLM": ({}, {"num_key_value_heads": 8, "sliding_window": 4096}),
    "Qwen2ForCausalLM": ({"qkv_bias": True}, {"num_key_value_heads": 32, "use_sliding_window": False}),
    "Qwen3ForCausalLM": (
        {"qk_norm": True},
        {"num_key_value_heads": 32, "head_dim": 128, "use_sliding_window": False},
    ),
}
TYPES = {
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "mistral",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
}

# Settings that change what a model computes, and the values at which they change nothing here.
NEUTRAL = {
    "hidden_act": ("silu", "swish"),
    "attention_bias": (False,),  # it would add one to the output projection too
    "mlp_bias": (False,),
    "quantization_config": (),
    "partial_rotary_factor": (1, 1.0),
    "rope_interleaved": (False,),
    "num_local_experts": (0,),
    "num_experts": (0,),
    "n_routed_experts": (0,),
    "attn_logit_softcapping": (),
    "final_logit_softcapping": (),
    "logit_scale": (1, 1.0),
    "logits_scaling": (1, 1.0),
    "embedding_multiplier": (1, 1.0),
    "residual_multiplier": (1, 1.0),
    "no_rope_layers": (),
    "is_encoder_decoder": (False,),
    "add_cross_attention": (False,),
}

ROPE = {  # the kinds there are, and the settings that belong to each
    "default": (),
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
}
NO_MATTER = ("rope_type", "type", "rope_theta", "original_max_position_embeddings")  # to those kinds


def read(settings: dict, where="config.json") -> config.Model:
    """The shape that a config.json describes.

    ValueError names an architecture, or the setting and the value, that the decoder does not have.
    """
    name = _architecture(settings, where)
    features, left_out = ARCHITECTURES[name]
    settings = left_out | settings
    for key, neutral in NEUTRAL.items():
        if settings.get(key) is not None and settings[key] not in neutral:
            wanted = f"; wanted {' or '.join(map(repr, neutral))}" if neutral else ""
            raise ValueError(f"{where}: {key}={settings[key]!r} is not supported{wanted}")
    _check_windows(settings, where)
    try:
        heads = settings["num_attention_heads"]
        model = config.Model(
            vocab_size=settings["vocab_size"],
            layers=settings["num_hidden_layers"],
            width=settings["hidden_size"],
            heads=heads,
            kv_heads=settings.get("num_key_value_heads") or heads,
            head_dim=settings.get("head_dim") or settings["hidden_size"] // heads,
            mlp_width=settings["intermediate_size"],
            context=settings.get("max_position_embeddings") or 0,
            norm_epsilon=settings.get("rms_norm_eps", 1e-6),
            tied_embeddings=settings.get("tie_word_embeddings", False),
            initializer_range=settings.get("initializer_range", 0.02),
            **_rope(settings, where),
            **features,
        )
    except KeyError as error:
        raise ValueError(f"{where} lacks {error.args[0]}") from None
    config.check(model, str(where))
    return model


def write(model: config.Model, *, dtype: str, ids: dict[str, int | list[int]]) -> dict:
    """The config.json of a model: Llama's, or Qwen's for those that have its biases or norms.

    `ids` are bos_token_id, eos_token_id and pad_token_id, where there are such tokens. ValueError for a model that no
    architecture of Hugging Face has.
    """
    features = {key for key in ("qkv_bias", "qk_norm") if getattr(model, key)}
    names = [name for name, (adds, _) in ARCHITECTURES.items() if set(adds) == features]
    if not names:
        raise ValueError("a model with both qkv_bias and qk_norm is none that Hugging Face's config.json can describe")
    settings = {
        "architectures": [names[0]],
        "model_type": TYPES[names[0]],
        "vocab_size": model.vocab_size,
        "hidden_size": model.width,
        "intermediate_size": model.mlp_width,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": model.context or 2048,
        "initializer_range": model.initializer_range,
        "rms_norm_eps": model.norm_epsilon,
        "tie_word_embeddings": model.tied_embeddings,
        "rope_theta": model.rope_base,
        "rope_scaling": _written_scaling(model.rope_scaling),
        "torch_dtype": dtype,
        "use_cache": True,
    }
    if names[0] in ("LlamaForCausalLM", "Qwen3ForCausalLM"):
        settings["attention_bias"] = False
    if names[0] != "LlamaForCausalLM":
        settings["use_sliding_window"] = False
    return settings | ids


def _architecture(settings, where):
    given = settings.get("architectures") or [
        name for name, kind in TYPES.items() if kind == settings.get("model_type")
    ]
    if len(given) != 1 or given[0] not in ARCHITECTURES:
        shown = ", ".join(given) or f"model_type={settings.get('model_type')!r}"
        raise ValueError(f"{where}: the architecture {shown} is not supported; {', '.join(ARCHITECTURES)} are")
    return given[0]


def _check_windows(settings, where):
    """ValueError if a layer would see less than the whole context."""
    context, window = settings.get("max_position_embeddings") or 0, settings.get("sliding_window")
    kinds = settings.get("layer_types")
    used = settings.get("use_sliding_window", True) if kinds is None else set(kinds) != {"full_attention"}
    if kinds is not None and not set(kinds) <= {"full_attention", "sliding_attention"}:
        raise ValueError(f"{where}: layer_types={sorted(set(kinds))} is not supported; full_attention is")
    if used and window is not None and window < context:
        raise ValueError(
            f"{where}: sliding_window={window} is shorter than max_position_embeddings={context}, and the decoder has "
            "no windows; for texts of at most that length, set max_position_embeddings to it"
        )


def _rope(settings, where):
    """rope_base and rope_scaling, as older files (rope_theta beside rope_scaling) and newer ones say them."""
    given = settings.get("rope_scaling") or settings.get("rope_parameters") or {}
    kind = given.get("rope_type", given.get("type", "default"))
    if kind not in ROPE:
        raise ValueError(f"{where}: the rope_type {kind!r} is not supported; {', '.join(ROPE)} are")
    for key, value in given.items():
        if key not in (*ROPE[kind], *NO_MATTER) and value not in NEUTRAL.get(key, ()):
            raise ValueError(f"{where}: {key}={value!r} of rope scaling {kind!r} is not supported")
    if absent := [key for key in ROPE[kind] if key not in given]:
        raise ValueError(f"{where}: the rope_type {kind!r} lacks {', '.join(absent)}")
    base = given.get("rope_theta", settings.get("rope_theta")) or 10_000.0
    if kind == "default":
        return {"rope_base": base, "rope_scaling": None}
    if kind == "linear":
        return {"rope_base": base, "rope_scaling": config.RopeScaling(kind=kind, factor=given["factor"])}
    factor, low, high, original = (given[key] for key in ROPE[kind])
    scaling = config.RopeScaling(kind=kind, factor=factor, low=low, high=high, original=original)
    return {"rope_base": base, "rope_scaling": scaling}


def _written_scaling(scaling):
    if scaling is None:
        return None
    if scaling.kind == "linear":
        return {"rope_type": "linear", "factor": scaling.factor}
    values = (scaling.factor, scaling.low, scaling.high, scaling.original)
    return {"rope_type": "llama3"} | dict(zip(ROPE["llama3"], values, strict=True))
