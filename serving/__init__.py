"""The service, and the way of a run to it: export, the one image decoder, what of our dependencies is switched off."""

from serving.privacy import switch_off

switch_off()
