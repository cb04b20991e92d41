"""The side of llama.cpp in sample.py: so many sequences at a time, greedy; needs nothing but llama-cpp-python.

    python scripts/bench/llama.py '{"path": ..., "source": ..., "streams": 32, "prompt": 32, "new": 64}'

`source` is a file that is written to `path` as float32 first; null: `path` is there.
"""

import ctypes
import json
import os
import sys
import time

import llama_cpp
import numpy as np


def single(source, path):
    """Write the weights of a GGUF file as float32."""
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype, settings.allow_requantize = 0, True
    if llama_cpp.llama_model_quantize(source.encode(), path.encode(), ctypes.byref(settings)):
        raise RuntimeError(f"llama.cpp could not write {source} as float32")


def run(path, streams, prompt, new):
    """Seconds of the clock and of all cores for `new` tokens more in each stream."""
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_ubatch = streams * (prompt + new), streams * prompt, 512
    settings.n_seq_max, settings.n_threads = streams, os.cpu_count()
    settings.n_threads_batch = os.cpu_count()
    context = llama_cpp.llama_init_from_model(model, settings)
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    batch = llama_cpp.llama_batch_init(streams * prompt, 0, 1)
    tokens = np.random.default_rng(0).integers(10, 49_000, (streams, prompt))

    def decode(tokens, start):
        """Likeliest next tokens [streams] after tokens [streams, T]."""
        batch.n_tokens = tokens.size
        for place, (stream, t) in enumerate(np.ndindex(*tokens.shape)):
            batch.token[place], batch.pos[place] = int(tokens[stream, t]), start + t
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, stream
            batch.logits[place] = t == tokens.shape[1] - 1
        if llama_cpp.llama_decode(context, batch):
            raise RuntimeError("llama.cpp could not decode")
        last = tokens.shape[1]
        rows = (llama_cpp.llama_get_logits_ith(context, stream * last + last - 1) for stream in range(streams))
        return np.array([np.ctypeslib.as_array(row, (vocabulary,)).argmax() for row in rows])

    def generate(count):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        following = decode(tokens, 0)
        for step in range(count - 1):
            following = decode(following[:, None], prompt + step)

    generate(2)
    cores, begun = os.times(), time.perf_counter()
    generate(new)
    after = os.times()
    cpu = after.user + after.system - cores.user - cores.system
    return {"tokens": streams * new, "seconds": time.perf_counter() - begun, "cpu": cpu}


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    if asked["source"]:
        single(asked["source"], asked["path"])
    print(json.dumps(run(asked["path"], asked["streams"], asked["prompt"], asked["new"])))
