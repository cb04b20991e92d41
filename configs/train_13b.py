"""Llama-2-13B learns from MathInstruct, with MAmmoTH's hyper-parameters (2309.05653).

    python scripts/train.py --config=configs/train_13b.py --workdir=runs/train_13b

A batch of 128 packed rows holds several times the paper's 128 examples; 600 steps are three epochs of its 262,039
examples where one has 200 tokens. python scripts/plan.py --config=configs/train_13b.py --topology=h100:64 prints

    h100:64: 64 chips, 64 devices, data=1 fsdp=64 tensor=1; by formula
    128 rows of 2048 tokens in 1 parts, remat layers, attention triton

    memory of a device, GiB of 80.0
      params          0.76
      optimizer       1.52
      working         5.95
      peak            8.22   10%: it fits

    FLOPs of a step: 2.09e+16 by formula, 3.26e+14 a device
      a device computes 4.32e+14, 1.32 times its share

    collectives of a device    times        GB   seconds
      all-gather                   2     52.06     0.215
      reduce-scatter               1     26.03     0.108

    a step                       at best     in turn
      computing 0.437 s, memory 0.073 s (244 GB), network 0.323 s
      seconds                      0.437       0.760
      MFU                          75.5%       43.4%
      tokens/s                   599,952     345,101
      hours of 600 steps            0.07        0.13
      chip-hours                     4.7         8.1

and, with --topology=v5p:4x4x8 or another TPU slice, what the compiler for it says (pip install -e '.[plan]').
"""

from mathjax.config import Data, Mesh, Optimizer, Pretrained, Source, Tokenizer, Train


def get_config():
    return Train(
        pretrained=Pretrained(source="meta-llama/Llama-2-13b-hf"),
        tokenizer=Tokenizer(kind="pretrained"),
        data=Data(
            sources=[Source(path="runs/mathinstruct/records.jsonl")],
            rows=128,
            length=2048,
            objective="solution",
            template="alpaca",
        ),
        optimizer=Optimizer(peak=2e-5, warmup=0.03),
        mesh=Mesh(data=1, fsdp=-1),
        steps=600,
        save_every=100,
        remat="layers",
        keep_best=0,
    )
