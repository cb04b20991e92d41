"""Llama-2-70B learns from MathInstruct, with MAmmoTH's hyper-parameters (2309.05653).

    python scripts/train.py --config=configs/train_70b.py --workdir=runs/train_70b

A batch of 128 packed rows holds several times the paper's 128 examples; 600 steps are three epochs of its 262,039
examples where one has 200 tokens. python scripts/plan.py --config=configs/train_70b.py --topology=h100:64 prints

    h100:64: 64 chips, 64 devices, data=1 fsdp=64 tensor=1; by formula
    128 rows of 2048 tokens in 1 parts, remat layers, attention triton

    memory of a device, GiB of 80.0
      params          4.01
      optimizer       8.03
      working        17.87
      peak           29.91   37%: it fits

    FLOPs of a step: 1.1e+17 by formula, 1.72e+15 a device
      a device computes 2.29e+15, 1.33 times its share

    collectives of a device    times        GB   seconds
      all-gather                   2    275.90     1.140
      reduce-scatter               1    137.95     0.570

    a step                       at best     in turn
      computing 2.317 s, memory 0.302 s (1,011 GB), network 1.710 s
      seconds                      2.317       4.027
      MFU                          75.1%       43.2%
      tokens/s                   113,153      65,101
      hours of 600 steps            0.39        0.67
      chip-hours                    24.7        43.0

and, with --topology=v5p:4x4x8 or another TPU slice, what the compiler for it says (pip install -e '.[plan]').
"""

from mathjax.config import Data, Mesh, Optimizer, Pretrained, Source, Tokenizer, Train


def get_config():
    return Train(
        pretrained=Pretrained(source="meta-llama/Llama-2-70b-hf"),
        tokenizer=Tokenizer(kind="pretrained"),
        data=Data(
            sources=[Source(path="runs/mathinstruct/records.jsonl")],
            rows=128,
            length=2048,
            objective="solution",
            template="alpaca",
        ),
        optimizer=Optimizer(peak=1e-5, warmup=0.03),
        mesh=Mesh(data=1, fsdp=-1),
        steps=600,
        save_every=100,
        remat="layers",
        keep_best=0,
    )
