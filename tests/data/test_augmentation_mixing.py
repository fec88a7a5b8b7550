import numpy as np
import pytest
import torch

from cifar_exp.data.augmentation import cut_mix, mix, mix_up

COUNT = 4_000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(count: int, size: int = 12) -> torch.Tensor:
    """Images that hold their own number in every pixel."""
    return torch.arange(count).float().view(-1, 1, 1, 1).expand(-1, 3, size, size).clone()


@pytest.mark.parametrize("mixing", [mix_up, cut_mix])
def test_every_image_is_the_partner_of_exactly_one(mixing):
    _, mixed = mixing(numbered(50), torch.arange(50), 1.0, seeded())
    assert sorted(mixed.other.tolist()) == list(range(50))
    assert mixed.other.tolist() != list(range(50))


def test_mixup_blends_the_image_and_its_label_by_one_weight():
    images = torch.rand(60, 3, 6, 6, generator=seeded(1))
    labels = torch.arange(60) * 10
    blended, mixed = mix_up(images, labels, 0.8, seeded())
    for index, weight in enumerate(mixed.weight.double().numpy()):
        partner = images[mixed.other[index] // 10].double().numpy()
        expected = weight * images[index].double().numpy() + (1 - weight) * partner
        np.testing.assert_allclose(blended[index].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("alpha", "distribution"),
    [
        (0.5, lambda x: 2 / np.pi * np.arcsin(np.sqrt(x))),
        (1.0, lambda x: x),
        (2.0, lambda x: 3 * x**2 - 2 * x**3),
    ],
)
def test_mixup_weights_follow_the_symmetric_beta(alpha, distribution, kolmogorov):
    _, mixed = mix_up(numbered(COUNT, 1), torch.zeros(COUNT), alpha, seeded())
    assert kolmogorov(mixed.weight.double().numpy(), distribution) < 1.95


def cut_mixed(size: int = 12) -> list[tuple[np.ndarray, int, float]]:
    """Of each image with a partner other than itself: its pasted pixels, the partner, the weight"""
    images = numbered(500, size)
    result, mixed = cut_mix(images, torch.arange(500), 1.0, seeded())
    found = []
    for index, (partner, weight) in enumerate(zip(mixed.other, mixed.weight, strict=True)):
        if partner != index:
            pasted = (result[index] != index).numpy()
            assert (result[index].numpy()[pasted] == partner.item()).all()
            assert (pasted == pasted[0]).all()  # all channels alike
            found.append((pasted[0], index, weight.item()))
    return found


def test_a_cutmix_weight_is_the_share_of_own_pixels():
    found = cut_mixed()
    assert len(found) > 490
    for pasted, _, weight in found:
        own = sum(not is_pasted for is_pasted in pasted.ravel().tolist())
        assert weight == pytest.approx(own / 144, abs=1e-6)


def test_cutmix_pastes_a_rectangle_of_the_image_s_own_proportions():
    whole = 0
    for pasted, _, _ in cut_mixed(size=24):
        rows, columns = pasted.any(1), pasted.any(0)
        assert np.array_equal(pasted, np.outer(rows, columns))
        if not (rows[[0, -1]].any() or columns[[0, -1]].any()):
            whole += 1
            assert abs(rows.sum() - columns.sum()) <= 1
    assert whole > 50


def test_the_part_that_cutmix_pastes_has_the_area_of_one_less_a_beta_draw(kolmogorov):
    # a part of share p lies wholly inside with probability (1 - sqrt(p))^2; p is uniform at alpha 1
    inside = [
        pasted.mean()
        for pasted, _, _ in cut_mixed(size=64)
        if pasted.any() and not np.concatenate([pasted[[0, -1]], pasted.T[[0, -1]]]).any()
    ]

    def distribution(p):
        return 6 * (p - 4 / 3 * p**1.5 + p**2 / 2)

    assert kolmogorov(np.array(inside), distribution) < 1.95


def test_the_section_says_whether_and_how_images_are_mixed(augmentation_section):
    images, labels = numbered(30), torch.arange(30)
    for section, expected in (
        (augmentation_section(mixup=0.4), mix_up(images, labels, 0.4, seeded(3))),
        (augmentation_section(cutmix=0.7), cut_mix(images, labels, 0.7, seeded(3))),
    ):
        result, mixed = mix(section, images, labels, seeded(3))
        assert mixed is not None
        assert torch.equal(result, expected[0])
        assert torch.equal(mixed.weight, expected[1].weight)


def test_images_are_left_alone_if_mixing_is_off(augmentation_section):
    images = numbered(30)
    for section in (augmentation_section(), augmentation_section(cutout=8, jitter=0.5)):
        result, mixed = mix(section, images, torch.arange(30), seeded())
        assert result is images
        assert mixed is None
