# SPDX-License-Identifier: GPL-2.0-or-later
"""A KVM with an rVIC, as tests see it: shim/shim.c answers for it."""

import contextlib
import os
import subprocess
from unittest import mock

# Bounds QEMU's start, in seconds
PATIENCE = 60

MACHINE = 'virt,irqchip=rvic'


@contextlib.contextmanager
def shim(test, *words):
    """
    Have QEMUs that are started meanwhile meet a KVM with an rVIC.

    :param test: the QemuSystemTest
    :param words: those of RVIC_SHIM in shim/shim.c
    :return: a function that returns the lines of the shim's log so far
    """
    log = test.scratch_file('shim.log')
    with contextlib.suppress(FileNotFoundError):
        os.unlink(log)

    def lines():
        if not os.path.exists(log):
            return []
        with open(log, encoding='utf-8') as file:
            return file.read().splitlines()

    library = test.build_file('rvic', 'tests-kvm', 'librvic-shim.so')
    test.assertTrue(os.path.exists(library), library)
    with mock.patch.dict(os.environ, {
            'LD_PRELOAD': library, 'RVIC_SHIM': ','.join(words),
            'RVIC_SHIM_LOG': log}):
        yield lines


def start(test, *args, accel='kvm', machine=MACHINE, preexec_fn=None):
    """Start QEMU with KVM and no guest; return its exit status and messages."""
    done = subprocess.run(
        [test.qemu_bin, '-accel', accel, '-cpu', 'host', '-machine', machine,
         '-display', 'none', '-serial', 'null', '-monitor', 'none', '-S',
         *args], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=False,
        preexec_fn=preexec_fn)
    return done.returncode, done.stderr
