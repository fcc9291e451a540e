"""The contract of a semi-supervised method as functions that take a method and what its images are, pixels or features.

They raise AssertionError.

They ask it what it is able to do (its fields and what it overrides), never for its name.
"""

from collections.abc import Callable

from tests.contracts.methods import gradients, images, judgements, labelled, options, passes, running, states
from tests.contracts.methods.planted import Kind
from training.methods.method import Method

CHECKS: tuple[Callable[[Method, Kind], None], ...] = (
    passes.losses_come_one_number_an_image,
    passes.outputs_are_those_of_the_views,
    passes.statistics_move_as_declared,
    passes.gradients_of_all_variants_are_finite,
    labelled.labelled_images_learn_their_targets,
    labelled.the_labelled_loss_reaches_the_student,
    labelled.every_term_of_dc3_reaches_the_student,
    gradients.the_unlabelled_loss_reaches_the_student,
    gradients.no_gradient_reaches_the_teacher,
    gradients.no_gradient_reaches_the_guess,
    gradients.the_last_view_learns_from_the_first,
    gradients.each_image_answers_for_its_own_loss,
    gradients.the_loss_rests_where_the_student_answers_the_target,
    judgements.targets_are_no_flatter_than_guesses,
    judgements.a_declared_judgement_tells_clear_from_doubtful,
    judgements.each_image_counts_as_it_is_judged,
    judgements.class_weights_weigh_the_labelled_loss,
    judgements.the_unlabelled_loss_grows_as_declared,
    running.a_judgement_follows_its_image,
    running.no_value_is_read_by_the_host,
    running.the_generator_decides_all_that_is_drawn,
    states.a_state_is_made_of_tensors_of_its_own,
    states.a_state_is_changed_in_place,
    states.a_step_writes_what_was_judged,
    states.an_image_keeps_its_place_in_the_state,
    images.mixtures_keep_the_image_that_prevails,
    images.targets_are_mixed_as_their_images,
    options.every_setting_changes_something,
)
"""Each holds for any method; one that does not bear on what a method declares returns at once."""
