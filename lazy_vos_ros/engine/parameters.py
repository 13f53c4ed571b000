"""One declaration per parameter: it feeds the dataclass, ROS descriptors, YAML and docs.

A settings class is a frozen dataclass whose fields are declared with :func:`parameter`::

    @dataclass(frozen=True)
    class Settings:
        tau_u: float = parameter(0.5, 'Ask the operator when dS reaches this.', low=0.0)

        def __post_init__(self) -> None:
            check_parameters(self)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from typing import Any

Scalar = bool | int | float | str | tuple[str, ...]

_KEY = 'lazy_vos_parameter'


@dataclass(frozen=True)
class Parameter:
    """What a person must know to set one parameter."""

    name: str
    default: Scalar
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    dynamic: bool = True
    """Whether it may be changed while the tracker runs."""

    @property
    def kind(self) -> type:
        """The type of its values: bool, int, float, str or, for a list of texts, tuple."""
        return type(self.default)

    @property
    def allowed(self) -> str:
        """The allowed values in words, e.g. ``number in [0, 1]`` or ``one of a, b``."""
        if self.choices is not None:
            return 'one of ' + ', '.join(self.choices)
        if self.kind is bool:
            return 'true or false'
        if self.kind is str:
            return 'text'
        if self.kind is tuple:
            return 'list of texts'
        noun = 'whole number' if self.kind is int else 'number'
        if self.low is None and self.high is None:
            return noun
        low = '-inf' if self.low is None else f'{self.low:g}'
        high = 'inf' if self.high is None else f'{self.high:g}'
        return f'{noun} in [{low}, {high}]'

    def check(self, value: object) -> Scalar:
        """Return `value` as this parameter's type; raise ValueError if it is not allowed."""
        converted = self._converted(value)
        if converted is None or not self._in_range(converted):
            raise ValueError(f'{self.name} is {value!r}; allowed: {self.allowed}')
        return converted

    def _converted(self, value: object) -> Scalar | None:
        if self.kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if self.kind is tuple and isinstance(value, list | tuple):
            return tuple(value) if all(isinstance(item, str) for item in value) else None
        if isinstance(value, bool | int | float | str) and type(value) is self.kind:
            return value
        return None

    def _in_range(self, value: Scalar) -> bool:
        if self.choices is not None:
            return value in self.choices
        if isinstance(value, str | bool | tuple):
            return True
        # A NaN compares false with everything, so it is refused here too.
        above = value == value if self.low is None else value >= self.low
        below = value == value if self.high is None else value <= self.high
        return above and below


def parameter(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    dynamic: bool = True,
) -> Any:
    """Declare a dataclass field together with its description and allowed values."""
    metadata = {
        _KEY: {
            'description': description,
            'low': low,
            'high': high,
            'choices': choices,
            'dynamic': dynamic,
        }
    }
    return field(default=default, metadata=metadata)


def parameters_of(settings: Any) -> Iterator[Parameter]:
    """Yield the parameters of a settings class (or of an instance, with its defaults)."""
    for item in fields(settings):
        if _KEY in item.metadata:
            default: Any = item.default
            yield Parameter(name=item.name, default=default, **item.metadata[_KEY])


def check_parameters(settings: Any) -> None:
    """Check every value of a settings instance, for use in ``__post_init__``.

    Raises
    ------
    ValueError
        Naming the parameter, what came and what is allowed.
    """
    for item in parameters_of(settings):
        object.__setattr__(settings, item.name, item.check(getattr(settings, item.name)))
