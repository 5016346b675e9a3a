# SPDX-License-Identifier: GPL-2.0-or-later
"""The bare-metal guests in baremetal/: how they are built, what they print."""

import os
import re
import subprocess

from rvic_guest import compiler

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'baremetal')

CFLAGS = ['-O2', '-g', '-Wall', '-Wextra', '-ffreestanding', '-fno-pic',
          '-fno-stack-protector', '-mgeneral-regs-only', '-mstrict-align',
          # Neither libgcc is there, nor memcpy() for loops that look like it.
          '-mno-outline-atomics', '-fno-tree-loop-distribute-patterns']
LDFLAGS = ['-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none',
           '-Wl,-T,' + os.path.join(SOURCES, 'baremetal.lds')]


def build(test, program, *parts):
    """
    Compile a program of baremetal/.

    :param test: the QemuSystemTest, for its compiler and scratch folder
    :param program: the program's name
    :param parts: sources that it has besides
    :return: name of the ELF file, for QEMU's -kernel
    """
    elf = test.scratch_file(program + '.elf')
    sources = [os.path.join(SOURCES, name) for name in
               ('start.S', 'runtime.c', program + '.c', *parts)]
    command = [compiler(test), *CFLAGS, *LDFLAGS, *sources, '-o', elf]
    done = subprocess.run(command, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f'{command[0]} failed: {done.stderr}')
    return elf


def verdicts(text):
    """
    Find what a program's verdict() printed.

    :return: from a check's name to what is wrong: '' if it is good
    """
    return {name: f'{name}: {why or "not ok"}' if wrong else ''
            for wrong, name, why in re.findall(
                r'^(not )?ok (\S+?)(?:: (.*))?$', text, re.M)}
