from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import ProposalFolder
from data.verdicts import check_verdicts, votes_of
from relabel.simulate.annotators import AnnotatorModel, TimeModel
from relabel.simulate.play import PlayOptions, play, read_truth
from tests.relabel.simulate.folder import make_votes, write_folder

OPTIONS = PlayOptions(annotators=2, repetitions=2)


@pytest.fixture
def bundle(tmp_path: Path) -> ProposalFolder:
    """The small folder."""
    return write_folder(tmp_path / "proposals")


def _play(bundle: ProposalFolder, seed: int = 0, options: PlayOptions = OPTIONS) -> pd.DataFrame:
    return play(bundle, read_truth(bundle, make_votes()), options, np.random.default_rng(seed))


def test_each_annotator_labels_each_image_once_a_repetition(bundle: ProposalFolder) -> None:
    verdicts = _play(bundle)
    labelled = votes_of(verdicts).groupby(["annotator", "round", "image"]).size()
    assert len(labelled) == 2 * 2 * 60
    assert (labelled == 1).all()
    assert set(verdicts["round"]) == {2, 3}, "the folder's round and the one after"
    check_verdicts(verdicts, "the simulation")


def test_every_verdict_says_that_it_is_simulated(bundle: ProposalFolder) -> None:
    verdicts = _play(bundle)
    assert set(verdicts["tool"]) == {"simulation"}
    assert verdicts["annotator"].str.startswith("simulated ").all()
    assert verdicts["at"].str.startswith("2000-01-").all()
    assert set(verdicts["model_version"]) == {"run of the test"}


def test_the_control_arm_sees_no_proposal(bundle: ProposalFolder) -> None:
    control = _play(bundle).query("arm == 'control'")
    assert set(control["outcome"]) == {"manual"}
    assert set(control["unit"]) == {"image"}
    assert (control["proposal"] != "").all(), "recorded, though not shown"
    certain = control[control["image"] == "00.png"]
    assert set(certain["label"]) == {"one"}, "all real votes say so"


def test_certain_images_are_judged_alone_with_their_class(bundle: ProposalFolder) -> None:
    certain = _play(bundle).query("arm == 'proposal' and cluster == ''")
    assert set(certain["outcome"]) == {"accepted", "changed"}
    accepted = certain["label"] == certain["proposal"]
    assert (accepted == (certain["outcome"] == "accepted")).all()


def test_what_leaves_a_cluster_is_judged_alone_without_a_proposal(bundle: ProposalFolder) -> None:
    verdicts = _play(bundle).query("cluster == '0' and arm == 'proposal'")
    taken_out = verdicts.query("outcome == 'excluded'")
    again = verdicts.query("unit == 'image'")
    assert len(taken_out), "some suspects are taken out"
    assert (taken_out["unit"] == "cluster").all()
    keys = ["annotator", "round", "image"]
    assert set(map(tuple, taken_out[keys].to_numpy())) == set(map(tuple, again[keys].to_numpy()))
    assert set(again["outcome"]) == {"manual"}
    assert set(again["proposal"]) == {""}


def test_nobody_calls_an_image_alone_what_he_took_it_out_of_its_cluster_as(bundle: ProposalFolder) -> None:
    verdicts = _play(bundle, options=PlayOptions(20, 1, AnnotatorModel(d=0.0))).query("cluster == '0'")
    keys = ["annotator", "image"]
    taken_out = verdicts[verdicts["outcome"] == "excluded"].set_index(keys).index
    again = verdicts[verdicts["unit"] == "image"].set_index(keys)["label"].reindex(taken_out)
    assert len(again) > 50
    accepted = verdicts[verdicts["outcome"] == "accepted"]["annotator"].unique()
    assert not (again[again.index.get_level_values("annotator").isin(accepted)] == "one").any()


def test_members_share_the_time_of_their_cluster(bundle: ProposalFolder) -> None:
    verdicts = _play(bundle, options=PlayOptions(1, 1, times=TimeModel(spread=0))).query("unit == 'cluster'")
    # 18 of 20 members are in the proposal arm
    assert len(verdicts) == 18
    np.testing.assert_allclose(verdicts["seconds"], (0.4 + 17 * 0.2) * 1.9 / 18)


def test_mixed_clusters_are_never_shown_as_a_whole(bundle: ProposalFolder) -> None:
    mixed = _play(bundle).query("cluster == '1'")
    assert set(mixed["unit"]) == {"image"}
    assert set(mixed["outcome"]) == {"manual"}


def test_a_cluster_answered_mixed_is_skipped_and_judged_one_by_one(bundle: ProposalFolder) -> None:
    options = PlayOptions(1, 1, AnnotatorModel(mixed_below=1.0))
    verdicts = _play(bundle, options=options).query("cluster == '0' and arm == 'proposal'")
    assert verdicts.query("unit == 'cluster'")["outcome"].eq("skipped").all()
    assert verdicts.query("unit == 'image'")["outcome"].eq("manual").all()
    assert len(verdicts) == 36


def test_edited_proposals_of_clusters_are_shown(bundle: ProposalFolder) -> None:
    edited = bundle.clusters.assign(proposal=["two", "seven"])
    verdicts = _play(bundle._replace(clusters=edited)).query("unit == 'cluster'")
    assert set(verdicts.query("cluster == '0'")["proposal"]) == {"two"}
    assert set(verdicts.query("cluster == '1'")["proposal"]) == {"seven"}


def test_the_same_seed_gives_the_same_table(bundle: ProposalFolder) -> None:
    pd.testing.assert_frame_equal(_play(bundle, 1), _play(bundle, 1))
    assert not _play(bundle, 1)["label"].equals(_play(bundle, 2)["label"])


def test_images_without_real_votes_are_named(bundle: ProposalFolder) -> None:
    votes = make_votes().query("image != '07.png'")
    with pytest.raises(InputError, match=r"1 have none: 07\.png"):
        read_truth(bundle, votes)


def test_nobody_cannot_answer(bundle: ProposalFolder) -> None:
    with pytest.raises(InputError, match="it has 0 and 2"):
        _play(bundle, options=PlayOptions(annotators=0))
