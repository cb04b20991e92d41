"""Hand a model from one form to another; what is there already is not overwritten.

    python scripts/convert.py --source=runs/gsm8k/train --output=exported/gsm8k              to Hugging Face
    python scripts/convert.py --source=model.gguf --output=runs/base --to=checkpoint         to mathjax
    python scripts/convert.py --source=runs/lora --output=exported/adapters --to=peft        adapters alone

SOURCE is a run or a checkpoint of mathjax, a folder of Hugging Face, a GGUF file, or a name on the hub. Of a run that
trained adapters, these are merged into the model that they belong to, but for --to=peft. A folder for Hugging Face
holds the tokenizer, its chat template, what generates, and a model card with the recipe.

Exit status: 0 done, 1 the model cannot be converted, 2 the command line is wrong, 130 interrupted.
"""

import logging
import pathlib
import sys

from absl import app, flags

_SOURCE = flags.DEFINE_string("source", None, "the model")
_REVISION = flags.DEFINE_string("revision", "", "of a name on the hub: a branch, a tag or a commit")
_OUTPUT = flags.DEFINE_string("output", None, "the folder to be made")
_TO = flags.DEFINE_enum("to", "hf", ["hf", "checkpoint", "peft"], "which form")
_DTYPE = flags.DEFINE_enum(
    "dtype", "float32", ["float32", "bfloat16", "float16"], "of the params that are written; peft: that of training"
)


def main(arguments):
    if len(arguments) > 1:
        return _end(2, f"not understood: {' '.join(arguments[1:])}; see --help")
    if pathlib.Path(_OUTPUT.value).exists():
        return _end(2, f"{_OUTPUT.value} exists; what is in it is not overwritten")
    try:
        convert()
    except (OSError, ValueError, ModuleNotFoundError) as error:
        return _end(1, str(error))
    except KeyboardInterrupt:
        return _end(130, "interrupted; nothing was written")
    files = [path for path in pathlib.Path(_OUTPUT.value).rglob("*") if path.is_file()]
    print(f"{_OUTPUT.value}: {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:,.1f} MB")
    return 0


def convert():
    logging.getLogger("jax").setLevel(logging.WARNING)
    from mathjax import config, mesh, pretrained  # JAX starts here: after the command line was found right

    if _TO.value == "peft":
        return pretrained.write_adapters(_OUTPUT.value, _SOURCE.value)
    devices = mesh.make(config.Mesh(data=1, fsdp=-1))
    found = pretrained.load(_SOURCE.value, devices, revision=_REVISION.value, dtype=_DTYPE.value)
    write = {"hf": pretrained.write_hf, "checkpoint": pretrained.write_checkpoint}[_TO.value]
    write(_OUTPUT.value, found)


def _end(status, message):
    print(f"convert: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    flags.mark_flags_as_required(["source", "output"])
    app.run(main)
