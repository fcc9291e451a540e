"""What to label next: the expected gain of one more vote, per minute of an annotator's time.

The share of votes that an image would get of very many annotators, t, is unknown; what is known of it is a Dirichlet
distribution with concentrations a (`relabel.propose.belief`). Its mean m is the estimate with the least expected
KL(t, m). One more vote c turns a into a + e_c, and the expected KL falls by

    gain = H(m) - sum_c m_c H((a + e_c) / (sum a + 1)),

H the entropy in nats: the mutual information of two votes on the image, exact under the model. Assumptions: votes are
independent draws from t, proposals do not bend them, p_n is calibrated. None of them holds exactly;
benchmarks/ranking.py measures what is left of it on real votes.
"""

import numpy as np
from scipy.special import xlogy

from relabel.cost import Cost, cluster_seconds


def expected_gain(belief: np.ndarray) -> np.ndarray:
    """(N,) nats by which one more vote lowers the expected KL, 0 or more.

    Example: concentrations 1 1 give 0.0566: H(1/2) = 0.6931 now, H(2/3) = 0.6365 after either vote.

    Args:
        belief: (N, k) concentrations.
    """
    total = belief.sum(1)
    mean = belief / total[:, None]
    term = xlogy(belief, belief)
    entropy = np.log(total) - term.sum(1) / total
    raised = (mean * (xlogy(belief + 1, belief + 1) - term)).sum(1)
    after = np.log(total + 1) - (term.sum(1) + raised) / (total + 1)
    # rounding of large vote counts may leave a negative zero
    return np.maximum(entropy - after, 0.0)


def member_minutes(fits: np.ndarray, cost: Cost) -> np.ndarray:
    """(M,) expected time for each member of a cluster that is judged as a whole.

    All share the look at the cluster; who does not fit is taken out and judged alone.

    Args:
        fits: (M,) chance that the member gets the cluster's class.
    """
    return (cluster_seconds(len(fits), cost) / len(fits) + (1 - fits) * cost.single_seconds) / 60
