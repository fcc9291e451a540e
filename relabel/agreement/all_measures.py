"""All figures of one relabelling, in the order of the report."""

from collections.abc import Iterator

from relabel.agreement.between_arms import measure_agreement
from relabel.agreement.bias import measure_bias
from relabel.agreement.evidence import Evidence
from relabel.agreement.proposal_effect import measure_effect, measure_outcomes
from relabel.agreement.report_row import Measure, MeasureOptions
from relabel.agreement.timing import Times, measure_times


def measure_all(evidence: Evidence, times: Times, options: MeasureOptions) -> Iterator[Measure]:
    """Yields every figure, or the reason for its absence."""
    draws = evidence.draws(options)
    found = list(measure_agreement(evidence, options))
    # all of one section together, whichever answers they are from
    for section in dict.fromkeys(measure.section for measure in found):
        yield from (measure for measure in found if measure.section == section)
    yield from measure_times(times, draws)
    yield from measure_outcomes(evidence, draws)
    yield from measure_effect(evidence, draws)
    yield from measure_bias(evidence, draws)
