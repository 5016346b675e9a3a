# SPDX-License-Identifier: GPL-2.0-or-later
"""
The bare-metal guests in baremetal/: how they are built, what they print.

As a program it compiles one: OUTPUT SOURCE... -- COMPILER...
"""

import glob
import os
import re
import subprocess
import sys

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'baremetal')

CFLAGS = ['-O2', '-g', '-Wall', '-Wextra', '-ffreestanding', '-fno-pic',
          '-fno-stack-protector', '-mgeneral-regs-only', '-mstrict-align',
          # Neither libgcc is there, nor memcpy() for loops that look like it.
          '-mno-outline-atomics', '-fno-tree-loop-distribute-patterns']
LDFLAGS = ['-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none',
           '-Wl,-T,' + os.path.join(SOURCES, 'baremetal.lds')]


def command(compiler, elf, sources):
    """
    Return the command that compiles a program.

    :param compiler: its words
    :param elf: name of the ELF file
    :param sources: names of the sources
    """
    return [*compiler, *CFLAGS, *LDFLAGS, *sources, '-o', elf]


# bench.h says what they are for: handlers that C functions leave little to save
BENCH_FLAGS = [*(f'-fcall-saved-x{number}' for number in range(8, 16)),
               '-fcall-saved-x18']


def bench_command(compiler, elf, linux):
    """
    Return the command that compiles the benchmark.

    :param compiler: its words
    :param elf: name of the ELF file
    :param linux: the kernel's tree, which has libfdt's sources
    """
    fdt = os.path.join(linux, 'scripts/dtc/libfdt')
    own = sorted(glob.glob(os.path.join(glob.escape(SOURCES), 'bench*.[cS]')))
    return command([*compiler, *BENCH_FLAGS, '-I', fdt], elf,
                   [os.path.join(SOURCES, 'start.S'),
                    os.path.join(SOURCES, 'runtime.c'),
                    os.path.join(SOURCES, 'its.c'), *own,
                    os.path.join(fdt, 'fdt.c'), os.path.join(fdt, 'fdt_ro.c')])


def build(test, program, *parts):
    """
    Compile a program of baremetal/.

    :param test: the QemuSystemTest, for its compiler and scratch folder
    :param program: the program's name
    :param parts: sources that it has besides
    :return: name of the ELF file, for QEMU's -kernel
    """
    # Not for main(), which needs none of QEMU's packages
    from rvic_guest import compiler  # pylint: disable=import-outside-toplevel

    # On arm64 the build has done it, for there may be no compiler.
    elf = test.build_file('rvic', 'tests-kvm', program + '.elf')
    if os.path.exists(elf):
        return elf
    elf = test.scratch_file(program + '.elf')
    sources = [os.path.join(SOURCES, name) for name in
               ('start.S', 'runtime.c', program + '.c', *parts)]
    done = subprocess.run(command([compiler(test)], elf, sources),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f'the compiler failed: {done.stderr}')
    return elf


def verdicts(text):
    """
    Find what a program's verdict() printed.

    :return: from a check's name to what is wrong: '' if it is good
    """
    return {name: f'{name}: {why or "not ok"}' if wrong else ''
            for wrong, name, why in re.findall(
                r'^(not )?ok (\S+?)(?:: (.*))?$', text, re.M)}


def main():
    """See above."""
    end = sys.argv.index('--')
    subprocess.run(command(sys.argv[end + 1:], sys.argv[1],
                           sys.argv[2:end]), check=True)


if __name__ == '__main__':
    main()
