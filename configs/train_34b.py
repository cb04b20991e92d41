"""CodeLlama-34B learns from MathInstruct, with MAmmoTH's hyper-parameters (2309.05653).

    python scripts/train.py --config=configs/train_34b.py --workdir=runs/train_34b

A batch of 128 packed rows holds several times the paper's 128 examples; 600 steps are three epochs of its 262,039
examples where one has 200 tokens. python scripts/plan.py --config=configs/train_34b.py --topology=h100:64 prints

    h100:64: 64 chips, 64 devices, data=1 fsdp=64 tensor=1; by formula
    128 rows of 2048 tokens in 1 parts, remat layers, attention triton

    memory of a device, GiB of 80.0
      params          1.96
      optimizer       3.93
      working        11.62
      peak           17.51   22%: it fits

    FLOPs of a step: 5.39e+16 by formula, 8.43e+14 a device
      a device computes 1.12e+15, 1.33 times its share

    collectives of a device    times        GB   seconds
      all-gather                   2    134.97     0.558
      reduce-scatter               1     67.49     0.279

    a step                       at best     in turn
      computing 1.132 s, memory 0.162 s (542 GB), network 0.837 s
      seconds                      1.132       1.968
      MFU                          75.3%       43.3%
      tokens/s                   231,660     133,194
      hours of 600 steps            0.19        0.33
      chip-hours                    12.1        21.0

and, with --topology=v5p:4x4x8 or another TPU slice, what the compiler for it says (pip install -e '.[plan]').
"""

from mathjax.config import Data, Mesh, Optimizer, Pretrained, Source, Tokenizer, Train


def get_config():
    return Train(
        pretrained=Pretrained(source="codellama/CodeLlama-34b-hf"),
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
