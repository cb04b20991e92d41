"""The programs of an engine, each compiled when it is first asked for."""

import functools

import jax
import jax.numpy as jnp

from mathjax import config
from mathjax import mesh as meshes
from mathjax.model import decoder, pages
from mathjax.sample import decode, paging


class Programs:
    """What runs on the devices of a mesh for a model; `known` has what was built, by a name that tells the shapes."""

    def __init__(self, model: config.Model, mesh: jax.sharding.Mesh, dtype, steps: int, stops: tuple[int, ...]):
        self.model, self.mesh, self.dtype, self.steps, self.stops = model, mesh, dtype, steps, stops
        self.known: dict[str, object] = {}

    def copy(self, params):
        """A copy of placed params as decoding takes them."""

        def build():
            own = functools.partial(_own, dtype=self.dtype)
            wanted = jax.eval_shape(functools.partial(decoder.init, self.model), jax.random.key(0))
            return jax.jit(own, out_shardings=meshes.place(self.mesh, jax.eval_shape(own, wanted)))

        return self._program("copy params", build)(params)

    def caches(self, shape: paging.Shape):
        """The pages of prompts and of what follows them, as `jax.ShapeDtypeStruct`s."""
        return jax.eval_shape(functools.partial(self._make, shape))

    def clear(self, shape: paging.Shape):
        """New pages for prompts, and for what follows them."""

        def build():
            shardings = decode.place(self.mesh, self.caches(shape))
            return jax.jit(functools.partial(self._make, shape), out_shardings=shardings)

        return self._program(f"clear {shape}", build)()

    def free(self, shape: paging.Shape):
        """Free slots."""

        def build():
            make = functools.partial(decode.empty, shape.slots)
            return jax.jit(make, out_shardings=decode.place(self.mesh, jax.eval_shape(make)))

        return self._program(f"free {shape.slots} slots", build)()

    def admit(self, shape: paging.Shape, packed: decode.Pack):
        """`decode.admit` for packs of this size: (params, prompts, pack) to prompts."""

        def build():
            admit = functools.partial(decode.admit, self.model, dtype=self.dtype)
            return jax.jit(admit, out_shardings=decode.place(self.mesh, self.caches(shape)[0]), donate_argnums=1)

        W, T = packed.tokens.shape
        return self._program(f"prefill {W} x {T} tokens into {shape.prompts} pages", build)

    def advance(self, shape: paging.Shape):
        """`decode.advance`: (params, prompts, cache, slots, orders, tables, chance) to cache, slots and a look."""

        def build():
            settings = {"steps": self.steps, "stops": self.stops, "dtype": self.dtype}
            advance = functools.partial(decode.advance, self.model, **settings)
            cache, slots = self.caches(shape)[1], jax.eval_shape(functools.partial(decode.empty, shape.slots))
            places = (decode.place(self.mesh, tree) for tree in (cache, slots))
            return jax.jit(advance, out_shardings=(*places, meshes.replicated(self.mesh)), donate_argnums=(2, 3))

        return self._program(self._decode(shape), build)

    def knows(self, shape: paging.Shape) -> bool:
        """Whether there is a program for decoding with this shape."""
        return self._decode(shape) in self.known

    def _decode(self, shape):
        return f"decode {self.steps} steps of {shape}"

    def _make(self, shape):
        numbers = (number // shape.parts for number in (shape.prompts, shape.pages))
        return tuple(pages.empty(self.model, shape.parts, number, self.dtype) for number in numbers)

    def _program(self, name, build):
        """The program of this name on the mesh, built if it is new."""
        if name not in self.known:
            self.known[name] = build()
        compiled = self.known[name]

        def run(*arguments):
            with jax.set_mesh(self.mesh):
                return compiled(*arguments)

        return run


def _own(params, dtype):
    """A copy with a list of layers; all in `dtype` but the scales of norms, which work in float32."""

    def copy(path, leaf):
        keep = meshes.path_name(path).endswith("scale")
        return jnp.array(leaf, leaf.dtype if keep else dtype, copy=True)

    return jax.tree_util.tree_map_with_path(copy, decoder.unstack(params))
