"""The contract suite rejects faults that semi-supervised libraries have had: each is put in and must be seen."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.contracts.methods import CHECKS, gradients, images, judgements, labelled, options, passes, running, states
from tests.contracts.methods.planted import IMAGES, Kind
from training.batches.batch import Batch
from training.losses.consistency import cross_entropy, hard_labels, squared_difference
from training.losses.step import Step
from training.methods.fixmatch import FixMatch
from training.methods.flexmatch import FlexMatch
from training.methods.mean_teacher import MeanTeacher
from training.methods.method import Judged, Method, supervised_loss
from training.methods.mixmatch import MixMatch
from training.methods.state import Sizes, State
from training.methods.uda import UDA
from training.methods.weak_to_strong import Passed, pass_and_judge
from training.networks.outputs import Outputs


class Faulty(FlexMatch):
    """FlexMatch with a loss of the fault's own."""

    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        return passed.judged.counts * cross_entropy(passed.strong.classes, passed.targets)

    def supervised(self, passed: Passed, batch: Batch) -> Tensor:
        return supervised_loss(passed.labelled, batch)

    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        passed = pass_and_judge(self, network, batch, state)
        unsupervised = self.weight * self.losses(passed, teacher, batch)
        return Step(passed.labelled, passed.weak, passed.strong, self.supervised(passed, batch), unsupervised)


class NoMask(Faulty):
    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        return cross_entropy(passed.strong.classes, passed.targets)


class NoMaskAndNoneDeclared(FixMatch):
    judge = Method.judge


class MaskNotDeclared(NoMaskAndNoneDeclared):
    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        step = super().step(network, teacher, batch, progress, generator, state)
        certain = step.unlabelled.classes.detach().softmax(1).amax(1) > self.threshold
        return step._replace(unsupervised=step.unsupervised * certain)


class Swapped(Faulty):
    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        targets = hard_labels(passed.strong.classes.detach().softmax(1))
        return passed.judged.counts * cross_entropy(passed.weak.classes, targets)


class StudentFitsItself(Faulty):
    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        targets = hard_labels(passed.strong.classes.detach().softmax(1))
        return passed.judged.counts * cross_entropy(passed.strong.classes, targets)


class GuessLearns(Faulty):
    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        soft = passed.weak.classes.softmax(1)
        return passed.judged.counts * -(soft * passed.strong.classes.log_softmax(1)).sum(1)


class TeacherLearns(Faulty):
    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        soft = teacher(batch.views[0]).classes.softmax(1)
        return passed.judged.counts * -(soft * passed.strong.classes.log_softmax(1)).sum(1)


class TeacherOfMeanTeacherLearns(MeanTeacher):
    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        step = super().step(network, teacher, batch, progress, generator, state)
        differences = (step.unlabelled.classes.softmax(1) - step.second.classes.softmax(1)).square().mean(1)
        return step._replace(unsupervised=self.weight * self.warm_up(progress) * differences)


class StudentAndTeacherSwapped(MeanTeacher):
    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        step = super().step(network, teacher, batch, progress, generator, state)
        differences = squared_difference(step.second.classes, step.unlabelled.classes.softmax(1))
        return step._replace(unsupervised=self.weight * self.warm_up(progress) * differences)


class MaskIsAColumn(Faulty):
    """(U,) times (U, 1), as (U, U)."""

    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        return super().losses(passed, teacher, batch) * passed.judged.counts[:, None]


class MaskIsAColumnAndTheMeanHidesIt(Faulty):
    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        return (cross_entropy(passed.strong.classes, passed.targets) * passed.judged.counts[:, None]).mean(0)


class LossesAreSpread(Faulty):
    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        return (super().losses(passed, teacher, batch)[:, None] * torch.ones(1, len(batch.views[0]))).mean(0)


class NoClassWeights(Faulty):
    def supervised(self, passed: Passed, batch: Batch) -> Tensor:
        return cross_entropy(passed.labelled.classes, batch.targets)


class OnlyTheLabelledPassCounts(FlexMatch):
    passes_jointly = False


class PassesApart(Faulty):
    """Declares the joint pass of its parent, and has none."""

    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        network(batch.images)
        return super().step(network, teacher, batch, progress, generator, state)


class FlatGuesses(UDA):
    def target(self, guesses: Tensor) -> Tensor:
        flat = guesses**self.temperature
        return flat / flat.sum(1, keepdim=True)


class FlatGuessesBesideTheTarget(Faulty):
    def losses(self, passed: Passed, teacher: Callable[..., Any], batch: Batch) -> Tensor:
        flat = passed.weak.classes.detach().mul(0.5).softmax(1)
        return passed.judged.counts * cross_entropy(passed.strong.classes, flat)


class FlatMixMatch(MixMatch):
    target = FlatGuesses.target


class EndlessWarmUp(MeanTeacher):
    def warm_up(self, progress):  # type: ignore[no-untyped-def]
        return super().warm_up(progress) * 0.5


class WarmUpNotDeclared(MeanTeacher):
    warm_up = Method.warm_up

    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        step = super().step(network, teacher, batch, progress, generator, state)
        return step._replace(unsupervised=step.unsupervised * MeanTeacher.warm_up(self, progress))


class StateIsReplaced(FlexMatch):
    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        step = super().step(network, teacher, batch, progress, generator, state)
        state |= {name: values.clone() for name, values in state.items()}
        return step


class StateIsForgotten(FlexMatch):
    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        return super().step(network, teacher, batch, progress, generator, {n: v.clone() for n, v in state.items()})


class StateIsShared(FlexMatch):
    CLASSES = torch.full((40,), -1)

    def make_state(self, sizes: object) -> State:
        return {"classes": self.CLASSES}


class JudgesInPlace(FlexMatch):
    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        judged = super().judge(guesses, rows, state)
        state["classes"].copy_(judged.state["classes"])
        return judged


class PlacesOfTheBatch(FlexMatch):
    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        return super().judge(guesses, torch.arange(len(rows)), state)


class ThresholdUnread(FlexMatch):
    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        return FlexMatch().judge(guesses, rows, state)


class RowsOfOthers(FlexMatch):
    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        return super().judge(guesses, rows.roll(1), state)


class CountsOfOthers(Faulty):
    """The state is right, and each image counts by what is kept of another one."""

    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        sure = state["classes"][rows.roll(1)] == guesses.argmax(1)
        return super().judge(guesses, rows, state)._replace(counts=(sure & (guesses.amax(1) > 0.9)).float())


class ReadByTheHost(FlexMatch):
    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        return super().judge(guesses, rows, state if state["classes"].max() >= 0 else dict(state))


class MaskAsIndex(FlexMatch):
    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        step = super().step(network, teacher, batch, progress, generator, state)
        step.unsupervised[step.unsupervised < 0] = 0
        return step


class DrawnElsewhere(FlexMatch):
    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        step = super().step(network, teacher, batch, progress, generator, state)
        return step._replace(unsupervised=step.unsupervised * (1 + torch.rand(())))


class StateDrawn(FlexMatch):
    def make_state(self, sizes: Sizes) -> State:
        return {"classes": torch.randint(-1, sizes.n_classes, (sizes.n_unlabelled,))}


class SoftTargetsIgnored(Faulty):
    """`--labels soft` would change nothing."""

    def supervised(self, passed: Passed, batch: Batch) -> Tensor:
        hard = nn.functional.one_hot(batch.labels, batch.targets.shape[1]).float()
        return supervised_loss(passed.labelled, batch._replace(targets=hard))


class LabelledLossDetached(Faulty):
    def supervised(self, passed: Passed, batch: Batch) -> Tensor:
        return super().supervised(passed, batch).detach()


class OutputsDetached(FlexMatch):
    """Its own losses are right; those of DC3 teach nothing."""

    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        step = super().step(network, teacher, batch, progress, generator, state)
        return step._replace(unlabelled=Outputs(*(output.detach() for output in step.unlabelled)))


class TargetsNotPermuted(MixMatch):
    def step(self, network, teacher, batch, progress, generator, state) -> Step:  # type: ignore[no-untyped-def]
        logits: list[Tensor] = []

        class Spy(nn.Module):
            def forward(self, images: Tensor) -> Any:
                outputs = network(images)
                logits.append(outputs.classes)
                return outputs

        step = super().step(Spy(), teacher, batch, progress, generator, state)
        return step._replace(
            supervised=cross_entropy(logits[-1][: len(batch.images)], batch.targets) * batch.class_weights
        )


class SharesNotTurned(MixMatch):
    def _share(self, n_images: int, generator: torch.Generator) -> Tensor:
        share = super()._share(n_images, generator)
        return torch.where(torch.rand(n_images, generator=generator) < 0.5, share, 1 - share)


FAULTS: list[tuple[type[Method], Callable[[Method, Kind], None]]] = [
    (NoMask, judgements.each_image_counts_as_it_is_judged),
    (NoMaskAndNoneDeclared, options.every_setting_changes_something),
    (MaskNotDeclared, judgements.each_image_counts_as_it_is_judged),
    (Swapped, gradients.the_last_view_learns_from_the_first),
    (StudentFitsItself, gradients.the_loss_rests_where_the_student_answers_the_target),
    (GuessLearns, gradients.no_gradient_reaches_the_guess),
    (TeacherLearns, gradients.no_gradient_reaches_the_teacher),
    (TeacherOfMeanTeacherLearns, gradients.no_gradient_reaches_the_teacher),
    (StudentAndTeacherSwapped, gradients.the_unlabelled_loss_reaches_the_student),
    (MaskIsAColumn, passes.losses_come_one_number_an_image),
    (MaskIsAColumnAndTheMeanHidesIt, judgements.each_image_counts_as_it_is_judged),
    (LossesAreSpread, gradients.each_image_answers_for_its_own_loss),
    (NoClassWeights, judgements.class_weights_weigh_the_labelled_loss),
    (OnlyTheLabelledPassCounts, passes.statistics_move_as_declared),
    (PassesApart, passes.statistics_move_as_declared),
    (FlatGuesses, judgements.targets_are_no_flatter_than_guesses),
    (FlatGuessesBesideTheTarget, gradients.the_loss_rests_where_the_student_answers_the_target),
    (FlatMixMatch, judgements.targets_are_no_flatter_than_guesses),
    (EndlessWarmUp, judgements.the_unlabelled_loss_grows_as_declared),
    (WarmUpNotDeclared, judgements.the_unlabelled_loss_grows_as_declared),
    (StateIsReplaced, states.a_state_is_changed_in_place),
    (StateIsForgotten, states.a_step_writes_what_was_judged),
    (StateIsShared, states.a_state_is_made_of_tensors_of_its_own),
    (JudgesInPlace, states.a_step_writes_what_was_judged),
    (PlacesOfTheBatch, states.an_image_keeps_its_place_in_the_state),
    (ThresholdUnread, options.every_setting_changes_something),
    (RowsOfOthers, running.a_judgement_follows_its_image),
    (CountsOfOthers, running.a_judgement_follows_its_image),
    (ReadByTheHost, running.no_value_is_read_by_the_host),
    (MaskAsIndex, running.no_value_is_read_by_the_host),
    (DrawnElsewhere, running.the_generator_decides_all_that_is_drawn),
    (StateDrawn, running.the_generator_decides_all_that_is_drawn),
    (SoftTargetsIgnored, labelled.labelled_images_learn_their_targets),
    (LabelledLossDetached, labelled.the_labelled_loss_reaches_the_student),
    (OutputsDetached, labelled.every_term_of_dc3_reaches_the_student),
    (TargetsNotPermuted, images.targets_are_mixed_as_their_images),
    (SharesNotTurned, images.mixtures_keep_the_image_that_prevails),
]


@pytest.mark.parametrize(("fault", "check"), FAULTS, ids=lambda item: item.__name__)
def test_the_suite_rejects(fault: type[Method], check: Callable[[Method, Kind], None]) -> None:
    assert check in CHECKS
    with pytest.raises(AssertionError):
        check(fault(), IMAGES)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_frame_of_the_faults_is_sound(check: Callable[[Method, Kind], None]) -> None:
    check(Faulty(), IMAGES)
