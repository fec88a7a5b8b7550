from collections.abc import Callable

from cifar_exp.config.schema import Settings
from cifar_exp.training.resolution import ResolutionSchedule


def schedule(
    make: Callable[..., Settings], size: int, scales: str, until: str
) -> ResolutionSchedule:
    settings = make(
        "data=shapes",
        f"data.image_size={size}",
        f"trainer.resolution_scales={scales}",
        f"trainer.resolution_until={until}",
    )
    return ResolutionSchedule.of(settings.trainer, size)


def test_sizes_change_exactly_where_their_part_of_the_run_ends(
    make_settings: Callable[..., Settings],
) -> None:
    rising = schedule(make_settings, 32, "[0.625,0.75]", "[0.5,0.75]")
    assert [rising.size(part) for part in (0, 0.499, 0.5, 0.749, 0.75, 0.999)] == [
        20,
        20,
        24,
        24,
        32,
        32,
    ]


def test_sizes_are_relative_to_the_images_and_multiples_of_four(
    make_settings: Callable[..., Settings],
) -> None:
    assert schedule(make_settings, 64, "[0.625,0.7]", "[0.5,0.75]").sizes == (40, 44)
    assert schedule(make_settings, 16, "[0.5]", "[0.5]").sizes == (8,)


def test_without_scales_all_steps_see_full_images(make_settings: Callable[..., Settings]) -> None:
    assert schedule(make_settings, 32, "[]", "[]").size(0.0) == 32
