"""What a program may use up inside this process, and the exception that says it may not go on here."""

import sys

DEEPEST = 50  # containers within containers; deeper ones can overflow the stack of C functions
MOST_ITERATORS = 500  # iterators over iterators, for the same reason
LONGEST_STRING = 100_000  # characters

_SMALL = 1 << 512  # numbers below cost the same as any step
_NUMBERS = frozenset((int, float, bool, complex))
_SCALARS = frozenset((int, float, bool, complex, str, type(None)))
_PLAIN = _SCALARS | {range}  # whose texts are the same in every run
_ITERATORS = frozenset((map, filter, zip, enumerate, reversed, type(iter([])), type(x for x in ())))
_VIEWS = (type({}.keys()), type({}.values()), type({}.items()))
_NESTED = frozenset((list, tuple, set, dict, *_VIEWS))
_MARKS = ("<opaque>", " at 0x")  # what only this interpreter's own objects, or addresses, bring into a message


class Outside(BaseException):
    """The program is outside the subset or its budget; the text says why. No handler of a program catches it."""


class Opaque:
    """A value that a program can hold and hand on but not look into; whatever would show it is outside."""

    __slots__ = ()

    def __repr__(self):
        raise Outside("an object is shown")


Opaque.__name__ = "<opaque>"  # never to be read: `vet` stops messages with it


class Budget:
    """Steps, integer bits and output that are left to one program.

    Work done by C functions counts as steps in proportion to the size of what they are given or make, so that steps
    bound time and memory together.
    """

    __slots__ = ("calls", "iterators", "output_left", "pieces", "size_bits", "steps_left")

    def __init__(self, steps: int, size_bits: int, output_bytes: int):
        self.steps_left = steps
        self.size_bits = size_bits
        self.output_left = output_bytes
        self.pieces = []  # of what was printed
        self.calls = 0  # that have not returned
        self.iterators = 0  # made over other iterators

    def charge(self, steps: int):
        """Count `steps`; Outside where none are left."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise Outside("steps")

    def write(self, text: str):
        """Keep what is printed; Outside where it is too much."""
        self.output_left -= len(text)
        if self.output_left < 0:
            raise Outside("output")
        self.pieces.append(text)

    def made(self, value):
        """`value`, the result of an operation, once its size is paid for."""
        kind = type(value)
        if kind is float or kind is bool or value is None:
            return value
        if kind is int:
            if not -_SMALL < value < _SMALL:
                bits = value.bit_length()
                self.fits(bits)
                self.charge(bits >> 4)
        elif kind is str:
            if len(value) > LONGEST_STRING:
                raise Outside("long string")
            self.charge(len(value) >> 4)
        elif kind in _NESTED:
            self.charge(len(value))
        return value

    def fits(self, bits: int | float):
        """Outside for an integer of so many bits."""
        if bits > self.size_bits:
            raise Outside("large integer")

    def weigh(self, value):
        """Pay for work on all that `value` holds, each thing as often as it is held: comparing, hashing."""
        kind = type(value)
        if kind is str:
            self.charge(len(value) >> 5)
        elif kind in _NESTED:
            self._walk(value, shown=False)

    def shown(self, value):
        """Pay for writing `value` as text; Outside where the text could differ between two runs."""
        if type(value) not in _SCALARS:
            self._walk([value], shown=True)

    def ordered(self, value):
        """`value`, about to be gone through; Outside where it is a set whose order could differ between two runs."""
        if type(value) is set and len(value) > 1:
            if not all(type(item) in _NUMBERS and item == item or _is_numbers(item) for item in value):
                raise Outside("order of a set")
        return value

    def consumed(self, value):
        """`value`, about to be gone through by one function in its order, and paid for."""
        kind = type(value)
        if kind is range:
            self.charge(_length(value))
        elif kind in _NESTED or kind is str:
            self.charge(len(value))
        return self.ordered(value)

    def compared(self, value):
        """`value`, or what gives its items one by one, each paid for as it will be hashed or compared."""
        if type(value) in _ITERATORS:
            return self._each(value)
        self.weigh(value)
        return value

    def _each(self, values):
        for value in values:
            self.weigh(value)
            yield value

    def source(self, value):
        """`value`, about to be gone through by an iterator; Outside for too many iterators over iterators."""
        if type(value) in _ITERATORS:
            self.iterators += 1
            if self.iterators > MOST_ITERATORS:
                raise Outside("iterators of iterators")
        return self.consumed(value)

    def _walk(self, value, *, shown):
        level = [value]
        for _ in range(DEEPEST):
            below = []
            for held in level:
                self.charge(len(held) + 1)
                if type(held) is set and shown:
                    self.ordered(held)
                for item in (*held.keys(), *held.values()) if type(held) is dict else held:
                    kind = type(item)
                    if kind in _NESTED:
                        below.append(item)
                    elif kind is str:
                        self.charge(len(item) >> 5)
                    elif isinstance(item, Exception):
                        below.append(item.args)
                    elif shown and kind not in _PLAIN:
                        raise Outside("an object is shown")
            if not below:
                return
            level = below
        raise Outside("deep container")


def vet(error: Exception) -> Exception:
    """`error`, which the program may see; Outside where CPython's could be another."""
    if isinstance(error, (RecursionError, MemoryError, StopIteration)):
        raise Outside(type(error).__name__)
    text = str(error)
    if any(mark in text for mark in _MARKS):
        raise Outside("an object in a message")
    return error


def message(error: Exception) -> str:
    """The last line of the traceback of `error`."""
    text = str(vet(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_numbers(item):
    return type(item) is tuple and all(type(part) in _NUMBERS and part == part for part in item)


def _length(numbers):
    try:
        return len(numbers)
    except OverflowError:
        return sys.maxsize
