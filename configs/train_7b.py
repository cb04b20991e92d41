"""Llama-2-7B learns from MathInstruct, with MAmmoTH's hyper-parameters (2309.05653).

    python scripts/train.py --config=configs/train_7b.py --workdir=runs/train_7b

A batch of 128 packed rows holds several times the paper's 128 examples; 600 steps are three epochs of its 262,039
examples where one has 200 tokens. python scripts/plan.py --config=configs/train_7b.py --topology=h100:64 prints

    h100:64: 64 chips, 64 devices, data=1 fsdp=64 tensor=1; by formula
    128 rows of 2048 tokens in 1 parts, remat layers, attention triton

    memory of a device, GiB of 80.0
      params          0.39
      optimizer       0.78
      working         3.98
      peak            5.15   6%: it fits

    FLOPs of a step: 1.08e+16 by formula, 1.69e+14 a device
      a device computes 2.23e+14, 1.32 times its share

    collectives of a device    times        GB   seconds
      all-gather                   2     26.95     0.111
      reduce-scatter               1     13.48     0.056

    a step                       at best     in turn
      computing 0.226 s, memory 0.043 s (143 GB), network 0.167 s
      seconds                      0.226       0.393
      MFU                          75.7%       43.5%
      tokens/s                 1,162,031     667,643
      hours of 600 steps            0.04        0.07
      chip-hours                     2.4         4.2

and, with --topology=v5p:4x4x8 or another TPU slice, what the compiler for it says (pip install -e '.[plan]').
"""

from mathjax.config import Data, Mesh, Optimizer, Pretrained, Source, Tokenizer, Train


def get_config():
    return Train(
        pretrained=Pretrained(source="meta-llama/Llama-2-7b-hf"),
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
