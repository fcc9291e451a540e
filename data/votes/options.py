"""How a vote table is to be read, where its content does not say it."""

from dataclasses import dataclass

from data.errors import InputError


@dataclass(frozen=True)
class VoteOptions:
    """How votes are read and which count."""

    form: str = ""
    """Form of the votes, where their content does not tell it: a name of docs/votes.md, wide_counts for example."""
    ignore_labels: tuple[str, ...] = ()
    """Labels that say 'cannot tell', unknown,NF for example: such votes are kept and reported, but are no class."""
    votes_per_image: int = 0
    """Of a table of shares: how many votes they are shares of. 0 takes the fewest that give these shares."""
    merge_rare: int = 0
    """Classes that lead on fewer images than this become one class, `rare`. 0 merges none."""
    drop_rare: int = 0
    """Votes for classes that lead on fewer images than this count as 'cannot tell'. 0 drops none."""

    def check(self) -> None:
        """Raises InputError for numbers below 0, and for both ways to treat rare classes."""
        numbers = {"votes-per-image": self.votes_per_image, "merge-rare": self.merge_rare, "drop-rare": self.drop_rare}
        faults = [f"--{name} must be 0 or more, it is {value}" for name, value in numbers.items() if value < 0]
        if self.merge_rare and self.drop_rare:
            faults.append("--merge-rare and --drop-rare exclude each other")
        if faults:
            raise InputError("; ".join(faults) + ".")
