# SPDX-License-Identifier: GPL-2.0-or-later
"""What the suite rvic-kvm has, and what is only in rvic-kvm-long."""

import os

# Whether all there is runs, and for long
LONG = bool(os.environ.get('RVIC_LONG'))


def only_long(test):
    """Decorator: a test or a class of them that takes too long for each day."""
    return test if LONG else None


def more(usual, many):
    """Return one number or, in the long suite, the other."""
    return many if LONG else usual
