"""What holds for the settings of every job: types and ranges are checked once, JSON gives them back."""

import dataclasses
import json
import types
import typing


def check(job, path="config"):
    """Raise ValueError naming the setting if a value of `job`, or of anything in it, has a wrong type or range."""
    hints = typing.get_type_hints(type(job))
    for entry in dataclasses.fields(job):
        value = getattr(job, entry.name)
        where = f"{path}.{entry.name}"
        _check_type(value, hints[entry.name], where)
        for name, part in _parts(value, where):
            check(part, name)
    try:
        job.check()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def to_json(job) -> str:
    """The settings as indented JSON, for the folder of a run; keys in the order of the class."""
    return json.dumps(dataclasses.asdict(job), indent=2)


def from_dict(kind, values: dict, path="config"):
    """A config of class `kind` from what `to_json` wrote; ValueError for a name that the class does not have."""
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ValueError(f"{path}: {kind.__name__} has no setting {', '.join(unknown)}; it has {', '.join(hints)}")
    try:
        return kind(**{name: _from_json(hints[name], value, f"{path}.{name}") for name, value in values.items()})
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from None


def _from_json(hint, value, path):
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(part for part in arguments if part is not type(None))
        return _from_json(hint, value, path)
    if origin in (list, tuple) and isinstance(value, list):
        parts = [_from_json(arguments[0], part, f"{path}[{i}]") for i, part in enumerate(value)]
        return origin(parts)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return from_dict(hint, value, path)
    return value


def _parts(value, where):
    if dataclasses.is_dataclass(value):
        yield where, value
    elif isinstance(value, (list, tuple)):
        for i, part in enumerate(value):
            yield from _parts(part, f"{where}[{i}]")


def _check_type(value, hint, where):
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        if not any(_has_type(value, part) for part in arguments):
            raise ValueError(f"{where} must be {hint}, got {value!r}")
    elif origin in (list, tuple):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{where} must be a list, got {value!r}")
        for i, part in enumerate(value):
            _check_type(part, arguments[0], f"{where}[{i}]")
    elif not _has_type(value, hint):
        raise ValueError(f"{where} must be {getattr(hint, '__name__', hint)}, got {value!r}")


def _has_type(value, hint):
    kind = typing.get_origin(hint) or hint
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def require(holds, message):
    if not holds:
        raise ValueError(message)


def positive(job, *names):
    for name in names:
        require(getattr(job, name) > 0, f"{name} must be positive, got {getattr(job, name)}")


def share(job, *names):
    for name in names:
        require(0 <= getattr(job, name) <= 1, f"{name} must lie in [0, 1], got {getattr(job, name)}")


def one_of(job, name, choices):
    require(getattr(job, name) in choices, f"{name} must be one of {', '.join(choices)}; got {getattr(job, name)!r}")
