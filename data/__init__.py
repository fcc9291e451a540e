"""The ground floor: what a lab has, images and votes, and the tables that pass between the rooms; no torch.

All other packages import it first, so that what of our dependencies would tell others of a lab is off before they load.
"""

from data.privacy import switch_off

switch_off()
