"""How good the masks were and what they cost the operator; `docs/metrics.md` explains each.

Pure functions in four groups: one mask (`masks`), one object over its frames (`scores`), the
operator's effort (`effort`) and how the corrections are spread over time (`spread`).
"""

from lazy_vos_ros.evaluation.metrics.effort import aci
from lazy_vos_ros.evaluation.metrics.effort import correction_gaps
from lazy_vos_ros.evaluation.metrics.effort import idi
from lazy_vos_ros.evaluation.metrics.effort import noc
from lazy_vos_ros.evaluation.metrics.masks import BOUNDARY_TOLERANCE
from lazy_vos_ros.evaluation.metrics.masks import Mask
from lazy_vos_ros.evaluation.metrics.masks import boundary
from lazy_vos_ros.evaluation.metrics.masks import boundary_f
from lazy_vos_ros.evaluation.metrics.masks import check_masks
from lazy_vos_ros.evaluation.metrics.masks import j_and_f
from lazy_vos_ros.evaluation.metrics.masks import jaccard
from lazy_vos_ros.evaluation.metrics.scores import RECALL_THRESHOLDS
from lazy_vos_ros.evaluation.metrics.scores import first_appearance
from lazy_vos_ros.evaluation.metrics.scores import mean_over_frames
from lazy_vos_ros.evaluation.metrics.scores import recall_at
from lazy_vos_ros.evaluation.metrics.scores import scored_frames
from lazy_vos_ros.evaluation.metrics.spread import QUICK_SECONDS
from lazy_vos_ros.evaluation.metrics.spread import median_gap
from lazy_vos_ros.evaluation.metrics.spread import quick_share

__all__ = [
    'BOUNDARY_TOLERANCE',
    'QUICK_SECONDS',
    'RECALL_THRESHOLDS',
    'Mask',
    'aci',
    'boundary',
    'boundary_f',
    'check_masks',
    'correction_gaps',
    'first_appearance',
    'idi',
    'j_and_f',
    'jaccard',
    'mean_over_frames',
    'median_gap',
    'noc',
    'quick_share',
    'recall_at',
    'scored_frames',
]
