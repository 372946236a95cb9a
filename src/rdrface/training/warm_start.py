"""Start of a training from other weights: a checkpoint, or released weights with folded batch normalizations.

Folding a batch normalization into its convolution loses two things that training needs: the statistics of the
normalization, and the length of each filter, which the normalization cancels. Both are set here. The output of the
network in evaluation mode does not change.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from rdrface.datasets.crops import PackedCrops
from rdrface.errors import ConfigError
from rdrface.morphable.model import FaceModel
from rdrface.network.rdr import RDR
from rdrface.network.sizes import network_sizes
from rdrface.runtime.weights import read_info
from rdrface.training import checkpoint
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import stage_augmentation
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.augmentation.mirror import CoefficientMirror
from rdrface.training.checkpoint import check_network
from rdrface.training.config import TrainingConfig
from rdrface.training.face_order import batches
from rdrface.training.reduction.network import can_reduce, reduce_network
from rdrface.training.restore import NOT_EXPORTED, Convolution, normalized_convolutions, restore, trained_sizes
from rdrface.training.step_size import crop_size

CROPS = 512
"""Number of crops for the statistics: 8,192 values per channel at 4 x 4 cells, the smallest map."""

REDUCTION_CROPS = 1024
"""Number of crops from which a light network is initialized."""

BATCH_SIZE = 64
"""Crops of one forward pass for the statistics."""


def check_start(path: Path, config: TrainingConfig) -> None:
    """Check that a run of `config` can start from a file, see `rdrface.training.checkpoint.start_file`.

    Raises:
        ConfigError: the checkpoint is damaged, or the weights have other options than the configuration.
        WeightsError: see `rdrface.training.restore.restore`.
    """
    if path.suffix == ".safetensors":
        released, info = restore(path)
        sizes = network_sizes(config.network)
        _check_imitated_size(path, config, info.input_size)
        if not can_reduce(released.sizes, sizes):
            check_network(path, released.sizes.name, sizes.name)
        _check_options(path, released, config.features, config.contour)
        iterations = info.iterations
    else:
        trained = checkpoint.read_trained(path, config.network)
        _check_imitated_size(path, config, trained.size)
        _check_options(path, trained, config.features, config.contour)
        iterations = trained.iterations
    if config.stage[0].train == "features" and iterations < config.iterations:
        raise ConfigError(
            f"{path} was trained with iterations = {iterations}, the configuration has {config.iterations}, and its "
            f'first stage, train = "features", does not train the iterations. Change it to {iterations}, or start from '
            "other weights"
        )


def start_network(network: RDR, path: Path, config: TrainingConfig, faces: PackedCrops) -> None:
    """Load the weights of another run's checkpoint or of an exported file, ready for training.

    A light network can also start from an exported file of the full one (`rdrface.training.reduction.network`).

    Args:
        network: network of the run on its device, changed in place.
        path: ``checkpoint.pt`` or ``NAME.safetensors``.
        config: configuration of the run. The statistics are measured on augmented crops of its first stage, of all its
            crop sizes; a light network is initialized from crops of the first size.
        faces: training faces of the run.

    Raises:
        ConfigError: see `check_start`.
        WeightsError: see `rdrface.training.restore.restore`.
    """
    device = network.scale.mean.device
    if path.suffix != ".safetensors":
        trained = checkpoint.read_trained(path, config.network)
        _check_options(path, trained, network.features, network.contour)
        checkpoint.load_average(network, trained.average, path)
    elif network.sizes.name == trained_sizes(path, read_info(path)[0]).name:
        start_from_released(network, path, _crops(config, faces, device, CROPS))
    else:
        stage = config.stage[0]
        first_size = replace(config, stage=(replace(stage, crop_sizes=stage.crop_sizes[:1], crop_size_draws=[]),))
        start_from_larger(network, path, list(_crops(first_size, faces, device, REDUCTION_CROPS)))


def _crops(config: TrainingConfig, faces: PackedCrops, device: torch.device, count: int) -> Iterator[Tensor]:
    stage = config.stage[0]
    augmentation, mirror = stage_augmentation(stage), CoefficientMirror.of(FaceModel.load(), device)
    generator = torch.Generator().manual_seed(config.seed)
    order = batches(len(faces), BATCH_SIZE, config.seed)
    for step in range(count // BATCH_SIZE):
        batch = CropBatch.of(faces, next(order), device)
        yield augment(batch, crop_size(stage, config.seed, step), augmentation, generator, mirror)[0]


def start_from_released(network: RDR, path: Path, crops: Iterable[Tensor]) -> None:
    """Load the weights of an exported file, ready for training.

    conv6 is not in the file and keeps its initialization; this is printed on stderr.

    Args:
        network: network of the run on the device of `crops`, with the options `features` and `contour` of the file.
        path: ``NAME.safetensors``.
        crops: batches (B, 3, N, N) like those of the training, see `set_statistics`.

    Raises:
        ConfigError: the file's network has other options than `network`.
        WeightsError: see `rdrface.training.restore.restore`.
    """
    released, _ = restore(path)
    check_network(path, released.sizes.name, network.sizes.name)
    _check_options(path, released, network.features, network.contour)
    # conv6 was initialized from the run's seed.
    released.response.load_state_dict(network.response.state_dict())
    released.to(next(network.parameters()).device)
    set_filter_lengths(released)
    set_statistics(released, crops)
    network.load_state_dict(released.state_dict())
    print(
        f"not in {path}, because only training needs it, so initialized randomly: {NOT_EXPORTED} (conv6)",
        file=sys.stderr,
    )


def start_from_larger(network: RDR, path: Path, crops: list[Tensor]) -> None:
    """Initialize a light network from an exported file of the full one, ready for training.

    Args:
        network: light network of the run on the device of `crops`.
        path: ``NAME.safetensors`` of a full network.
        crops: batches (B, 3, N, N) like those of the training.

    Raises:
        ConfigError: the light network cannot be initialized from the file's network.
        WeightsError: see `rdrface.training.restore.restore`.
    """
    larger, _ = restore(path)
    if not can_reduce(larger.sizes, network.sizes):
        check_network(path, larger.sizes.name, network.sizes.name)
    _check_options(path, larger, network.features, network.contour)
    print(f"initializing the network {network.sizes.name!r} from {path}", file=sys.stderr)
    reduce_network(larger.to(crops[0].device), network, torch.cat(crops))
    set_filter_lengths(network)
    set_statistics(network, crops)


def _check_imitated_size(path: Path, config: TrainingConfig, size: int) -> None:
    if config.imitation and config.imitated_size != size:
        raise ConfigError(
            f"{path} has features for crops of {size} pixels, the configuration has imitated_size = "
            f"{config.imitated_size}; change it to {size}, or start from other weights"
        )


def _check_options(path: Path, start: RDR | checkpoint.Trained, features: str, contour: str) -> None:
    for option, value in (("features", features), ("contour", contour)):
        trained = getattr(start, option)
        if value != trained:
            raise ConfigError(
                f'{path} was trained with {option} = "{trained}", the configuration has "{value}"; change it to '
                f'"{trained}", or start from other weights'
            )


@torch.no_grad()
def set_filter_lengths(network: RDR) -> None:
    """Scale every filter before a batch normalization to the length that it has in a new network.

    The normalization cancels the length, so training hardly changes it. Folding multiplies it by the normalization's
    weight divided by its standard deviation: a hundredth for some filters of Res5b. Adam's steps have the same size for
    all weights, and would overwrite such short filters within a few steps.
    """
    initial = normalized_convolutions(RDR(0, sizes=network.sizes))
    for (convolution, norm), (new, _) in zip(normalized_convolutions(network), initial, strict=True):
        weight, axes = convolution.weight, _all_but_outputs(convolution)
        length = weight.square().mean(axes, keepdim=True).sqrt()
        factor = new.weight.square().mean().sqrt().to(length) / length
        # A filter of zeros has no direction and is not changed.
        factor = torch.where(length > 0, factor, torch.ones_like(factor))
        weight.mul_(factor)
        flat = factor.flatten()
        # norm(f x) with mean f m and weight w / f equals norm(x) with mean m and weight w, at the same variance.
        norm.get_buffer("running_mean").mul_(flat)
        norm.weight.div_(flat)


@torch.no_grad()
def set_statistics(network: RDR, crops: Iterable[Tensor]) -> None:
    """Set the running statistics of every batch normalization to those of crops, and adapt its weight and bias.

    The output in evaluation mode does not depend on the crops. In training mode a normalization uses the statistics of
    each batch: the closer they are to the running ones, the less the output changes when training begins. So the crops
    should be those of the training, augmentation included.

    Args:
        network: in evaluation mode; changed in place.
        crops: batches (B, 3, N, N), 0..255.
    """
    norms = [norm for _, norm in normalized_convolutions(network)]
    means: list[list[Tensor]] = [[] for _ in norms]
    squares: list[list[Tensor]] = [[] for _ in norms]

    def record(number: int, x: Tensor) -> None:
        variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        means[number].append(mean.double().cpu())
        squares[number].append(variance.double().cpu() + means[number][-1] ** 2)

    hooks = [
        norm.register_forward_pre_hook(lambda _, inputs, number=number: record(number, inputs[0]))
        for number, norm in enumerate(norms)
    ]
    for batch in crops:
        res3b, res5b = network.backbone(batch)
        network.regression_features(res3b)
        network.initialization(res5b)
    for hook in hooks:
        hook.remove()
    for norm, batch_means, batch_squares in zip(norms, means, squares, strict=True):
        mean = torch.stack(batch_means).mean(0)
        variance = (torch.stack(batch_squares).mean(0) - mean**2).clamp(min=0)
        # The old normalization is x -> slope x + shift.
        running_mean, running_var = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        slope = norm.weight.double().cpu() / (running_var.double().cpu() + norm.eps).sqrt()
        shift = norm.bias.double().cpu() - slope * running_mean.double().cpu()
        norm.weight.copy_(slope * (variance + norm.eps).sqrt())
        norm.bias.copy_(shift + slope * mean)
        running_mean.copy_(mean)
        running_var.copy_(variance)


def _all_but_outputs(convolution: Convolution) -> list[int]:
    return [0, 2, 3] if isinstance(convolution, nn.ConvTranspose2d) else [1, 2, 3]
