"""Repeat the paper's study of uncertainty: which measure warns of a wrong mask.

`uncertainty` tracks each object of a data set from its first true mask, without any correction,
and correlates every measure with the IoU of the predicted mask over the frames (Spearman): the
entropy S and S_R of one tracker; with several weights also of their ensemble, and with
--passes above 0 of Monte-Carlo dropout, both with their epistemic uncertainty V and V_R.

Writes into --out: measures.png and .svg (box plot over objects), dilations.png and .svg (the
masked measures over the size of the dilation), summary.csv, correlations.csv (each object),
frames.csv (each frame) and study.json (settings).

Examples:
  lazy-vos study uncertainty --dataset DAVIS --out out/study
  lazy-vos study uncertainty --dataset DAVIS --out out/study --weights a.pth b.pth c.pth
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lazy_vos_ros.cli import arguments
from lazy_vos_ros.evaluation.counts import counted

if TYPE_CHECKING:
    from lazy_vos_ros.engine.backend import Backend
    from lazy_vos_ros.evaluation.benchmark.datasets import Dataset
    from lazy_vos_ros.evaluation.benchmark.datasets import SequenceFiles
    from lazy_vos_ros.evaluation.study.committee import Committee
    from lazy_vos_ros.evaluation.study.uncertainty import StudySettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos study`."""
    studies = parser.add_subparsers(dest='study', metavar='STUDY', required=True)
    study = studies.add_parser('uncertainty', help='which measure warns of a wrong mask')
    study.add_argument('--dataset', required=True, metavar='DIR', help='folder of the data set')
    study.add_argument('--out', required=True, metavar='DIR', help='folder for the results')
    study.add_argument('--force', action='store_true', help='replace earlier results in DIR')
    study.add_argument('--layout', default='auto', help='of the data set, as in benchmark')
    study.add_argument('--split', help='part of the data set, such as val')
    study.add_argument(
        '--sequences', type=arguments.names, default=(), metavar='A,B', help='only these'
    )
    study.add_argument('--frames', type=arguments.whole(2), help='most frames of each sequence')
    study.add_argument(
        '--weights',
        nargs='+',
        default=['auto'],
        help='of the tracker: names that `lazy-vos weights list` shows, or files; the first one '
        'is the single tracker, several are an ensemble',
    )
    study.add_argument('--device', default='auto', help='cpu, cuda, cuda:1 or auto (default)')
    study.add_argument('--size', type=arguments.size, help=arguments.SIZE_HELP)
    study.add_argument(
        '--dropout',
        type=arguments.number(above=0, below=1),
        default=0.2,
        metavar='RATE',
        help='of the key (default 0.2)',
    )
    study.add_argument(
        '--passes',
        type=arguments.whole(0),
        default=10,
        help='of dropout in each frame, 2 or more (default 10); 0: none',
    )
    study.add_argument('--seed', type=arguments.whole(0), default=0, help='of dropout')
    study.add_argument(
        '--dilations',
        type=arguments.numbers,
        metavar='Q,Q',
        help='growths of the mask for S_R and V_R, 0..1',
    )
    study.add_argument(
        '--epistemic', default='variance', help='V: variance (default) or mutual-information'
    )
    study.add_argument(
        '--with-absent', action='store_true', help='compare also frames without the object'
    )


def run(args: argparse.Namespace) -> int:
    """Do the study, print its table and write the files."""
    from tqdm import tqdm

    from lazy_vos_ros.evaluation.offline import prepare_folder
    from lazy_vos_ros.evaluation.study.uncertainty import study_uncertainty

    dataset = dataset_of(args)
    settings = settings_for(args, merge_objects=dataset.layout.merge_objects)
    sequences = cut(dataset, args.frames)
    committees = make_committees(args)
    prepare_folder(Path(args.out), force=args.force)
    total = len(committees) * sum(len(files.images) for files in sequences)
    # disable=None: no bar where the output goes into a file.
    with tqdm(total=total, unit='frame', disable=None, dynamic_ncols=True) as bar:
        study = study_uncertainty(sequences, committees, settings, on_frame=bar.update)
    study.write(Path(args.out), **about(args, sequences))
    print(study.report())
    print(f'\n{counted(len(sequences), "sequence")}; figures and tables are in {args.out}')
    return 0


def about(args: argparse.Namespace, sequences: 'Sequence[SequenceFiles]') -> dict[str, object]:
    """Return what one must know beside the settings to repeat the study."""
    from lazy_vos_ros.engine.build import tracker_entry
    from lazy_vos_ros.engine.weights import checked_path
    from lazy_vos_ros.engine.weights import sha256_of

    paths = [checked_path(tracker_entry(weights)) for weights in args.weights]
    return {
        'dataset': str(args.dataset),
        'sequences': [files.name for files in sequences],
        'most_frames': args.frames,
        # a list, because the files of different trainings may have one name
        'weights': [{'file': path.name, 'sha256': sha256_of(path)} for path in paths],
        'size': args.size,
        'dropout': args.dropout,
        'passes': args.passes,
        'seed': args.seed,
    }


def settings_for(args: argparse.Namespace, *, merge_objects: bool) -> 'StudySettings':
    """Return how the study is done; ValueError if an argument is not allowed."""
    from lazy_vos_ros.evaluation.study.measures import DILATIONS
    from lazy_vos_ros.evaluation.study.uncertainty import StudySettings

    return StudySettings(
        dilations=args.dilations or DILATIONS,
        epistemic=args.epistemic,
        with_absent=args.with_absent,
        merge_objects=merge_objects,
    )


def dataset_of(args: argparse.Namespace) -> 'Dataset':
    """Return the sequences that the arguments choose."""
    from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset

    return open_dataset(
        Path(args.dataset), layout=args.layout, split=args.split, sequences=args.sequences
    )


def cut(dataset: 'Dataset', frames: int | None) -> 'list[SequenceFiles]':
    """Return the sequences of a data set, each with so many frames at most."""
    return [
        replace(files, images=files.images[:frames], annotations=files.annotations[:frames])
        for files in dataset.sequences
    ]


def make_committees(args: argparse.Namespace) -> 'list[Committee]':
    """Load the weights; return one tracker, the ensemble of several, and dropout if wanted."""
    from lazy_vos_ros.evaluation.study.dropout import Dropout
    from lazy_vos_ros.evaluation.study.ensemble import Ensemble

    backends = [make_tracker(weights, args) for weights in args.weights]
    committees: list[Committee] = [Ensemble(backends[:1])]
    if len(backends) > 1:
        committees.append(Ensemble(backends))
    if args.passes:
        committees.append(
            Dropout(backends[0], rate=args.dropout, passes=args.passes, seed=args.seed)
        )
    return committees


def make_tracker(weights: str, args: argparse.Namespace) -> 'Backend':
    """Load one tracker at the size that was asked for."""
    from lazy_vos_ros.engine.build import make_backend
    from lazy_vos_ros.engine.build import tracker_entry
    from lazy_vos_ros.engine.xmem.config import XMemConfig

    settings = XMemConfig(**tracker_entry(weights).settings)
    if args.size is not None:
        settings = replace(settings, size=args.size)
    return make_backend(weights, device=args.device, settings=settings)
