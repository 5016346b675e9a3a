# SPDX-License-Identifier: GPL-2.0-or-later
"""
Write QEMU's side of this repository as a series of patches for QEMU's own tree, or the
guest's drivers as one for Linux. Files are at their places there; git am applies them.
"""

import argparse
import glob
import os
import shlex
import sys

import export_linux
import export_qemu
import patch_series
from patch_series import TOP, Problem


def linux_tree():
    tree = os.path.realpath(os.path.join(TOP, 'build/linux'))
    if not os.path.isdir(tree):
        raise Problem('Linux is not there yet: run scripts/setup and scripts/guest, or give --tree')
    return tree


def qemu_tree():
    build = os.path.realpath(os.path.join(TOP, 'build'))
    if not os.path.isdir(build):
        raise Problem('QEMU is not there yet: run scripts/setup, or give --tree')
    return os.path.dirname(build)


# In the folder: the names of the patches that were written there
NAMES = '.export-series'


def numbered(folder):
    """The names in a folder that are like those of a series."""
    return sorted(map(os.path.basename, glob.glob(
        os.path.join(glob.escape(folder), '[0-9]' * 4 + '-*.patch'))))


def remove_former(folder):
    """Remove a series that was written to FOLDER before, which may have no other one."""
    try:
        with open(os.path.join(folder, NAMES), encoding='utf-8') as file:
            ours = file.read().split()
    except FileNotFoundError:
        ours = []
    for name in numbered(folder):
        if name not in ours:
            raise Problem(f'{folder} has patches of somebody else, such as {name}: '
                          'choose another folder')
    for name in numbered(folder):
        os.remove(os.path.join(folder, name))


def main():
    parser = argparse.ArgumentParser(prog='scripts/export-series', description=__doc__,
                                     allow_abbrev=False)
    parser.add_argument('directory', metavar='DIR',
                        help='where patches go; made if it is missing; those that this '
                        'wrote there before are removed')
    parser.add_argument('--linux', action='store_true',
                        help='the drivers of linux/ for Linux, not the rest for QEMU')
    parser.add_argument('--tree', help='the source tree that patches are for (default: what '
                        "scripts/setup or scripts/guest have unpacked, as it was before)")
    args = parser.parse_args()
    try:
        author = patch_series.identity()
        if args.linux:
            series = export_linux.series(args.tree or linux_tree(), author)
        else:
            series = export_qemu.series(args.tree or qemu_tree(), author)
        os.makedirs(args.directory, exist_ok=True)
        remove_former(args.directory)
        number = patch_series.write(args.directory, *series, author)
        with open(os.path.join(args.directory, NAMES), 'w', encoding='utf-8') as file:
            file.writelines(f'{name}\n' for name in numbered(args.directory))
    except (Problem, OSError) as error:
        parser.exit(1, f'scripts/export-series: error: {error}\n')
    print(f'{number} patches and a cover letter are in {args.directory}: '
          f'git am --empty=drop {shlex.quote(args.directory)}/*.patch')
    return 0


if __name__ == '__main__':
    sys.exit(main())
