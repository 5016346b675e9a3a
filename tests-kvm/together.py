#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run tests of several modules one after the other, with one TAP output: in an
emulated host, which takes longer to boot than many of them.

The arguments are the names of modules, or of tests as unittest knows them.
"""

import os
import sys
import unittest

import pycotap

# Else each test would be skipped, as if that were all right.
if not os.access('/dev/kvm', os.R_OK | os.W_OK):
    sys.exit('there is no usable /dev/kvm')

LOG = pycotap.LogMode.LogToError

runner = pycotap.TAPTestRunner(message_log=LOG, test_output_log=LOG)
done = unittest.main(module=None, testRunner=runner, exit=False,
                     argv=['tests', *sys.argv[1:]])
sys.exit(not done.result.wasSuccessful())
