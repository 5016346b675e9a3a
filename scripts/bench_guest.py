# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot Linux guests whose first process is tests-functional/guest/bench.c."""

import collections
import re
import subprocess
import threading
import time

import cpio
from bench_row import Failed

# Lines of a guest that failed which are shown
LINES = 20

# What bench.c says of a measurement
Result = collections.namedtuple('Result', 'events interrupts ns')

# From QEMU's start, or from the kernel's, to the first process, in nanoseconds; and from names
# of measurements to Results
Guest = collections.namedtuple('Guest', 'boot kernel results')


def pack(path, program):
    """Make an initramfs of the program."""
    with open(path, 'wb') as file:
        archive = cpio.Archive(file)
        archive.console()
        archive.folder('proc')
        archive.copy('init', program)
        archive.end()


def options(image, initrd, names, **variables):
    """QEMU's options for a guest that makes these measurements, with bench.c's variables."""
    settings = [f'{name}={value}' for name, value in variables.items()]
    return ['-kernel', image, '-initrd', initrd,
            '-append', ' '.join(['console=ttyAMA0 quiet', *settings, '--', *names]),
            '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot']


def run(command, names, patience):
    """
    Start QEMU with a guest that makes these measurements, and return what that says, a Guest.

    :param patience: bounds it, in seconds
    """
    boot = kernel = None
    results, said = {}, ['']
    start = time.monotonic_ns()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace') as qemu:
        guard = threading.Timer(patience, qemu.kill)
        guard.start()
        try:
            while said[-1] != '@DONE\n':
                line = qemu.stdout.readline()
                now = time.monotonic_ns()
                if not line:
                    break
                said.append(line)
                init = re.match(r'@INIT (\d+)\n', line)
                result = re.match(r'@RESULT (\S+) (\d+) (\d+) (\d+)\n', line)
                if init:
                    boot, kernel = now - start, int(init[1])
                elif result:
                    results[result[1]] = Result(*map(int, result.groups()[1:]))
        finally:
            guard.cancel()
            qemu.kill()
    if said[-1] != '@DONE\n' or boot is None or set(results) != set(names):
        raise Failed(f'the guest did not measure all of {", ".join(names)}:\n'
                     f'{"".join(said[-LINES:])}')
    return Guest(boot, kernel, results)
