# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's drivers as patches for Linux: what the files of linux/ become there."""

import os
import re

from patch_series import TOP, Problem, messages, patched, pristine, read

# Where the files of linux/ go; what goes nowhere, and why
PLACES = [
    (r'bindings/(.*)', r'Documentation/devicetree/bindings/\1'),
    (r'(irq-[a-z-]*\.[ch])', r'drivers/irqchip/\1'),
]
STAY = {
    'README.rst': 'it tells how to get the files into a tree',
    'guest.config': "a test's configuration; the cover letter names what is needed",
    'patches/0001-irqchip-rvic.patch': 'it becomes lines of Kconfig and Makefile',
}
BUILD_PATCH = 'patches/0001-irqchip-rvic.patch'
LIST = 'linux-arm-kernel@lists.infradead.org'
SECTION = 'ARM RVIC AND RVID INTERRUPT CONTROLLER DRIVERS'


def version_of(tree):
    """(6, 12) for a tree of Linux 6.12.x"""
    found = re.search(r'^VERSION = (\d+)\nPATCHLEVEL = (\d+)$', pristine(tree, 'Makefile'), re.M)
    if not found or not os.path.isfile(os.path.join(tree, 'drivers/irqchip/Kconfig')):
        raise Problem(f"'{tree}' is not a Linux source tree")
    version = tuple(map(int, found.groups()))
    if version < (6, 12):
        raise Problem(f"'{tree}' is Linux {version[0]}.{version[1]}: the drivers are for 6.12 "
                      'and later')
    return version


def for_version(text, version):
    """C without conditionals on the version, which no file in Linux' own tree has."""
    lines, stack = [], []
    for line in text.replace('#include <linux/version.h>\n\n', '').splitlines():
        condition = re.fullmatch(
            r'#if LINUX_VERSION_CODE >= KERNEL_VERSION\((\d+), (\d+), 0\)', line)
        if condition:
            stack.append(version >= tuple(map(int, condition.groups())))
        elif line.startswith('#if'):
            stack.append(None)
        elif line == '#else' and stack[-1] is not None:
            stack[-1] = not stack[-1]
            continue
        if False not in stack and not condition and not (
                line.startswith('#endif') and stack[-1] is not None):
            lines.append(line)
        if line.startswith('#endif'):
            stack.pop()
    return re.sub(r'\n{3,}', '\n\n', '\n'.join(lines) + '\n')


def place(name):
    for pattern, to in PLACES:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, to, name)
    if name not in STAY:
        raise Problem(f'linux/{name}: no rule in scripts/export_linux.py places it')
    return None


def drivers(version, author):
    """{name in Linux' tree: text} of all files that are added."""
    added = {}
    for root, _, names in os.walk(os.path.join(TOP, 'linux')):
        for name in names:
            name = os.path.relpath(os.path.join(root, name), os.path.join(TOP, 'linux'))
            to = place(name)
            if to:
                text = read(TOP, 'linux', name)
                if to.endswith('.yaml'):
                    # A schema has a person to ask, who sends it.
                    text = text.replace(f'  - {LIST}\n', f'  - {author.name} <{author.email}>\n')
                added[to] = for_version(text, version) if to.endswith('compat.h') else text
    return added


def maintainers(text, names, author):
    """Linux' MAINTAINERS, with the drivers' section at its place in the alphabet."""
    lines = [SECTION, f'M:\t{author.name} <{author.email}>',
             f'L:\t{LIST} (moderated for non-subscribers)', 'S:\tMaintained']
    lines += [f'F:\t{name}' for name in sorted(names)]
    titles = re.finditer(r'(?<=\n\n)([^\n:]+)\n(?=[A-Z]:\t)', text)
    before = next(title.start() for title in titles
                  if title[1].startswith('ARM ') and title[1] > SECTION)
    return text[:before] + '\n'.join(lines) + '\n\n' + text[before:]


def series(tree, author):
    """(files as they are, cover letter, steps)"""
    version = version_of(tree)
    added = drivers(version, author)
    changed, _ = patched(tree, 'Linux %d.%d' % version, [f'linux/{BUILD_PATCH}'])
    base = {name: before for name, (before, _) in changed.items()}
    for name in 'MAINTAINERS', '.gitattributes':
        base[name] = pristine(tree, name)
    cover, *patches = messages('scripts/series/linux')
    there, steps = set(), []
    for patch in patches:
        files = {}
        for name in patch.contents:
            if name in added:
                files[name] = added[name]
                there.add(name)
        for name in patch.contents:
            if name in changed:
                # An object that has no source yet is the next patch's.
                files[name] = re.sub(
                    r' (irq-rvi[cd])\.o',
                    lambda found: found[0] if f'drivers/irqchip/{found[1]}.c' in there else '',
                    changed[name][1])
            elif name not in added:
                raise Problem(f'{patch.name}: {name} is not a file of the series')
        files['MAINTAINERS'] = maintainers(base['MAINTAINERS'], there, author)
        steps.append((patch, files))
    if there != set(added):
        raise Problem(f'no patch of scripts/series/linux adds {min(set(added) - there)}')
    return base, cover, steps
