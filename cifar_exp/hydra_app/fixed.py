"""What a sweep sets beside what it varies: it is recorded, and names the sweep."""

from collections.abc import Sequence
from typing import Any

from cifar_exp.config.identity import identifying
from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.compose import COMPOSE_ERRORS
from cifar_exp.hydra_app.overrides import OverrideValue
from cifar_exp.hydra_app.validation import OverrideValidator


def fixed_settings(
    validator: OverrideValidator,
    shared: Sequence[OverrideValue],
    varied: Sequence[OverrideValue],
    settings: Settings,
) -> dict[str, Any]:
    """What in the settings of a trial differs from the defaults with its `varied` values.

    `shared`: the settings of Hydra's, and the sweep option.
    """
    options = [v.text for v in [*shared, *varied] if validator.is_composed(v)]
    values = [(value.key, value.value) for value in varied if not validator.is_composed(value)]
    composed = validator.composed(options)
    try:
        default = identifying(validate(composed.updated(values))) if composed else {}
    except COMPOSE_ERRORS:  # the varied settings are not complete without the fixed ones
        default = {}
    missing = object()
    keys = {value.key for value in varied}
    return {
        key: value
        for key, value in identifying(settings).items()
        if key not in keys and default.get(key, missing) != value
    }
