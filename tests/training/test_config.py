"""Presets and overrides: every fault at once, each with the nearest known key."""

from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import InputError
from training.config import PRESETS, Config, check_config, flatten, from_json, load_preset, parse_config, to_json


@pytest.mark.parametrize("name", [path.stem for path in PRESETS.glob("*.toml")])
def test_shipped_presets_are_valid_and_begin_with_their_command(name: str) -> None:
    assert isinstance(load_preset(name), Config)
    assert (PRESETS / f"{name}.toml").read_text().startswith("# dc3 ")


def test_record_reads_back_as_the_same_configuration() -> None:
    config = load_preset("digits")
    assert from_json(to_json(config)) == config


def test_option_names_are_unique_over_the_sections() -> None:
    """The command line drops the section names."""
    from dataclasses import asdict

    def list_names(values: dict[str, object]) -> list[str]:
        lists = [list_names(value) if isinstance(value, dict) else [name] for name, value in values.items()]
        return [name for names in lists for name in names]

    names = list_names(asdict(Config()))
    assert len(names) == len(set(names))
    assert set(names) == set(flatten(asdict(Config())))


def test_all_faults_of_a_preset_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('metod = "x"\n[loop]\nsteps = "many"\nstep = 4\n[dc3]\npriro = 0.2\n')
    with pytest.raises(InputError) as caught:
        load_preset(str(path))
    message = str(caught.value)
    assert "4 fault(s)" in message
    for part in ("did you mean method?", "loop.steps", "did you mean steps?", "did you mean prior?"):
        assert part in message


def test_names_and_ranges_are_checked_together() -> None:
    config = Config()
    bad = replace(config, method="fixmach", dc3=replace(config.dc3, prior=1.5), loop=replace(config.loop, steps=0))
    with pytest.raises(InputError, match=r"3 fault(.|\n)*did you mean fixmatch(.|\n)*prior = 1.5(.|\n)*steps = 0"):
        check_config(bad, "Test")


def test_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean digits"):
        load_preset("digit")


@pytest.mark.parametrize("content", [b"a = = 1", b"# caf\xe9", "[loop]".encode("utf-16"), b"a = " + b"[" * 100_000])
def test_broken_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"p\.toml is no valid TOML in UTF-8"):
        load_preset(str(path))


def test_a_preset_may_begin_with_the_mark_of_an_editor(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text("[loop]\nsteps = 7\n", encoding="utf-8-sig")
    assert load_preset(str(path)).loop.steps == 7


def test_defaults_are_the_papers() -> None:
    config = parse_config({}, "Test")
    assert (config.dc3.prior, config.dc3.inverse_ce_labelled, config.dc3.ambiguity_weight) == (0.6, 10, 0.1)
    assert (config.loop.steps, config.batches.batch_size, config.optimiser.lr) == (16_384, 64, 0.01)
