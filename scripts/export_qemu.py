# SPDX-License-Identifier: GPL-2.0-or-later
"""
The overlay as patches for QEMU: what its files and patches/ become in QEMU's own tree.

The tables below say where files go (PLACES), what stays (STAYS), which files become a
part of one that QEMU has (MERGES), and which words change (WORDS, EDITS). A patch's list
of contents has two kinds of lines:

    hw/intc/rvic_core.[ch]              files that it adds, with wildcards
    target/arm/kvm.c: pmu|host_cpus     of the changes to a file of QEMU's, those that
                                        match the expression

Lists of sources in meson.build, lists of pages in docs/ and the section of MAINTAINERS
have in each patch what is there by then.
"""

import difflib
import fnmatch
import os
import posixpath
import re
import subprocess
import tempfile

from patch_series import TOP, Patch, Problem, messages, patched, pristine, read, write_files

# Where files go: the first rule that matches
PLACES = [
    (r'hw-intc/(arm_rvic(?:_hypercall)?|rvic_core)\.h', r'include/hw/intc/\1.h'),
    (r'hw-(intc|arm)/([^/]*\.[ch])', r'hw/\1/\2'),
    (r'target-arm-kvm/(kvm-arm\.json)', r'qapi/\1'),
    (r'target-arm-kvm/([^/]*\.[ch])', r'target/arm/\1'),
    (r'target-arm-tcg/([^/]*\.[ch])', r'target/arm/tcg/\1'),
    (r'tests-fuzz/guided/(.*\.c)', r'tests/qtest/fuzz/\1'),
    (r'tests-fuzz/([^/]*\.[ch]|meson\.build)', r'tests/rvic/\1'),
    (r'tests-qtest/([^/]*\.[ch])', r'tests/qtest/\1'),
    (r'tests-functional/(.*\.([chS]|lds|py)|guest/load)', r'tests/functional/\1'),
    (r'tests-spin/(.*)\.pml', r'docs/spin/\1.promela'),
    (r'(docs/(specs|system)/.*)', r'\1'),
]

# What is not for QEMU's tree; looked at before PLACES
STAYS = [
    # The seams between overlay and tree, which are one then
    r'(Kconfig|meson\.build|hw-intc/trace\.h|hw-intc/rvic_compat\.h|patches/.*)',
    # For tests of the tests, and for scripts that stay
    r'tests-fuzz/(mutations|guided/(corpus|instrumented))|tests-qtest/(data/.*|not-executed)',
    # They need scripts/bench*.py or vgic*.py
    r'tests-functional/(baremetal/bench.*|guest/(bench\.c|crowd)|rvic_bench\.py'
    r'|test_aarch64_rvic_(bench.*|paths)\.py)',
    # They need the emulated host of scripts/kvm_host.py
    r'tests-kvm/.*',
    # About this repository: its tests, measurements and scripts
    r'docs/(devel|tools)/.*|scripts/.*|README\.rst|\.ci/.*|\.gitignore|debian/.*|packaging/.*',
    # Another series
    r'linux/.*',
]

# Files that become a part of QEMU's: which, and behind what; at the end if that is ''
MERGES = {
    'hw-intc/Kconfig': ('hw/intc/Kconfig', ''),
    'hw-intc/meson.build': ('hw/intc/meson.build', ''),
    'hw-intc/trace-events': ('hw/intc/trace-events', ''),
    'hw-arm/meson.build': ('hw/arm/meson.build', ''),
    'target-arm-kvm/meson.build': ('target/arm/meson.build',
                                   r".*\n\n(?=subdir\('hvf'\)\n)"),
    'target-arm-tcg/meson.build': ('target/arm/tcg/meson.build',
                                   r'^arm_\w*system_ss\.add\(files\(\n(?:  .*\n)*\)\)\n\n'),
    'tests-fuzz/guided/meson.build': ('tests/qtest/fuzz/meson.build',
                                      r"^specific_fuzz_ss\.add\(files\('generic_fuzz\.c'\)\)\n"),
    'tests-qtest/meson.build': ('tests/qtest/meson.build', ''),
    'tests-functional/meson.build': ('tests/functional/meson.build', ''),
}

# Lines for QEMU's files that the overlay does not need: file, behind what, line
LINES = [
    ('hw/arm/Kconfig', r'config ARM_VIRT\n(?:.*\n)*?    select ARM_GIC\n',
     '    select ARM_RVIC\n'),
    ('tests/meson.build', r"subdir\('decode'\)\n", "subdir('rvic')\n"),
]

# Files that are pasted where they are included
PASTED = ['target-arm-tcg/helper-rvic.h.inc', 'target-arm-tcg/translate-rvic.c.inc']

# What a path in the text of a file becomes. All that is left of these is an error.
WORDS = [
    (r'\bhw-(intc|arm)/', r'hw/\1/'),
    (r'\btarget-arm-kvm/', 'target/arm/'),
    (r'\btarget-arm-tcg/', 'target/arm/tcg/'),
    (r'\btests-fuzz/', 'tests/rvic/'),
    (r'\btests-(functional|qtest)/', r'tests/\1/'),
    (r'\btests-spin/rvic\.pml\b', 'docs/spin/rvic.promela'),
    (r'\blinux/(?=irq-rvi)', 'drivers/irqchip/'),
    (r'\blinux/(?=bindings)', 'Documentation/devicetree/'),
    (r'``linux/``', "Linux' ``drivers/irqchip/``"),
    # checkpatch takes all of the line for the licence's name
    (r'<!-- (SPDX-License-Identifier: \S+) -->', r'<!--\n\1\n-->'),
]
LEFTOVERS = re.compile(
    r'(?<![\w/])rvic/(?:hw|target|tests|docs|linux|scripts)\b'
    r'|\b(?:hw|target|tests)-[a-z-]+/|rvic_compat|RVICClassData|RVIC_ID_'
    r'|\brvic\.pml\b|rvic-irqtop|(?<![\w/.<-])linux/(?:irq|bindings|patches|guest|README)|overlay'
    r'|\bscripts/(?:bench|cpio|docs|dt-schema|export|fuzz|guest|irqtop|kvm-host|kvm_host|lib'
    r'|libvirt|package|run|setup|spin|test)\b')

# Other words: file in the overlay, expression, what it becomes
EDITS = [
    ('hw-intc/Kconfig', r'(config ARM_RVIC\n    bool\n)    default y\n    depends on ARM_VIRT\n',
     r'\1'),
    # virt.c wants both
    ('hw-arm/meson.build', r'CONFIG_ARM_RVIC', 'CONFIG_ARM_VIRT'),
    ('target-arm-kvm/meson.build', r'specific_ss', 'arm_system_ss'),
    ('target-arm-tcg/meson.build', r'^# Also for.*\nforeach .*\n *specific_ss\.add\(when: .*\n'
     r' *if_true: (.*\n)endforeach\n', r'arm_system_ss.add(\1'),
    ('tests-fuzz/meson.build', r"'\.\./hw-intc/", "'../../hw/intc/"),
    ('tests-fuzz/meson.build', r': scripts/test fuzz$', ''),
    ('tests-fuzz/guided/meson.build', r': scripts/test fuzz-guided$', ''),
    ('tests-fuzz/rvic-fuzz.c', r'scripts/fuzz --replay', 'rvic-fuzz --replay'),
    ('tests-fuzz/rvic-fuzz.c', r'scripts/fuzz --qemu FILE makes ', 'rvic-fuzz-test makes '),
    ('tests-qtest/meson.build', r': scripts/test qtest$', ''),
    ('tests-functional/rvic_guest.py', r"'\n *'scripts/test boot builds one and runs this'\)",
     " in a folder')"),
    ('tests-functional/rvic_guest.py',
     r' *# On arm64 the build has .*\n.*build_file.*\n.*\n.*return contents\(built\)\n', ''),
    ('tests-functional/rvic_baremetal.py',
     r' *# On arm64 the build has .*\n.*build_file.*\n.*\n.*return elf\n', ''),
    ('tests-functional/rvic_baremetal.py', r'# bench\.h says[^\0]*?(?=def build\()', ''),
    ('tests-functional/rvic_baremetal.py', r'import glob\n', ''),
    ('tests-functional/test_aarch64_rvic_acpi.py', r'Without what the overlay adds, (.*) those of '
     r'QEMU without\nit, of which', r'Without rVIC and SPE, \1 what they were,\nof which'),
    ('tests-qtest/rvic-fuzz-test.c', r', which scripts/fuzz\n \* --qemu FILE repeats: by '
     r'RVIC_FUZZ_REPLAY=FILE in the environment\.',
     ', which\n * RVIC_FUZZ_REPLAY=FILE in the environment repeats.'),
    ('tests-qtest/rvic-fuzz-test.c', r'scripts/fuzz --qemu FILE\\n', r'RVIC_FUZZ_REPLAY=FILE\\n'),
    ('tests-qtest/rvic-fuzz-test.c', r'scripts/fuzz --qemu %s', 'RVIC_FUZZ_REPLAY=%s'),
    ('tests-qtest/rvic-stream-test.c', r'scripts/test sanitizers', 'sanitizers'),
    # The manual comes later
    ('docs/specs/arm-rvic.rst', r':doc:`/(system/arm/virt-rvic)`', r'``docs/\1.rst``'),
    ('tests-spin/rvic.pml', r' scripts/spin\.py lists them with\n \* what spin has to find; '
     r'"scripts/test spin" runs them\. By hand', '\n * By hand'),
    ('tests-spin/rvic.pml', r'(?<= )rvic\.pml$', 'rvic.promela'),
]

# rvic_compat.h: names of newer versions that are macros in older ones
NAMES = {
    '10.0': [(r'\bRVICClassData\b', 'void'), (r'\bCharFrontend\b', 'CharBackend'),
             (r'\bRVIC_ID_AA64DFR0\(&([\w>.-]+)\)', r'\1.id_aa64dfr0')],
    '10.2': [(r'\bRVICClassData\b', 'const void'),
             (r'\bRVIC_ID_AA64DFR0\((&[\w>.-]+)\) =\s+FIELD_DP64\(RVIC_ID_AA64DFR0\(\1\)',
              r'FIELD_DP64_IDREG(\1'),
             (r'\bFIELD_EX64\(RVIC_ID_AA64DFR0\((&[\w>.-]+)\)', r'FIELD_EX64_IDREG(\1')],
}

# The version that comes after a tree's: QEMU has 10.0, 10.1, 10.2, 11.0
NEXT = {'10.0': '10.1', '10.2': '11.0'}

SECTION = 'Arm rVIC and rVID'
# What the section of MAINTAINERS names, each as soon as there is such a file
MAINTAINED = [
    'docs/specs/arm-rvic*', 'docs/spin/rvic.promela', 'docs/system/arm/kvm-pmu.rst',
    'docs/system/arm/kvm-spe.rst', 'docs/system/arm/*rvic*', 'hw/arm/virt_rvic*',
    'hw/arm/virt_spe*', 'hw/intc/arm_rvic_kvm.c', 'hw/intc/arm_rvic_stub.c',
    'hw/intc/arm_rvi[cd]*', 'hw/intc/rvi[cd]_core.c', 'hw/intc/rvic_internal.h',
    'include/hw/intc/arm_rvic*', 'include/hw/intc/rvic_core.h', 'qapi/kvm-arm.json',
    'target/arm/kvm_host_cpus*', 'target/arm/kvm_pmu*', 'target/arm/kvm_reasons.h',
    'target/arm/kvm_rvic*', 'target/arm/kvm_spe*', 'target/arm/tcg/tcg_rvic*',
    'tests/functional/baremetal/*', 'tests/functional/guest/*', 'tests/functional/*rvic*',
    'tests/functional/test_aarch64_gic_virt.py', 'tests/qtest/fuzz/rvic*',
    'tests/qtest/gic*', 'tests/qtest/*rvi[cd]*', 'tests/qtest/virt-gic-dtb-test.c',
    'tests/rvic/*',
]


def version_of(tree):
    """10.0 or 10.2"""
    version = pristine(tree, 'VERSION').strip()
    if not os.path.isfile(os.path.join(tree, 'hw/arm/virt.c')):
        raise Problem(f"'{tree}' is not a QEMU source tree")
    if not re.fullmatch(r'10\.[02]\.[1-4]?[0-9]', version):
        raise Problem(f"'{tree}' is QEMU {version}: the overlay is for 10.0.x and 10.2.x")
    return version.rpartition('.')[0]


# ---- Files of the overlay --------------------------------------------------

def overlay():
    """The repository's files, with those that are not committed yet."""
    done = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=TOP,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f'{TOP} is not a git repository, which tells which files are its own')
    return [name for name in done.stdout.splitlines() if os.path.isfile(os.path.join(TOP, name))]


def place(name):
    """Where a file of the overlay goes; None if that is nowhere."""
    if name in MERGES or name in PASTED or any(re.fullmatch(rule, name) for rule in STAYS):
        return None
    for pattern, to in PLACES:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, to, name)
    raise Problem(f'{name}: no rule in scripts/export_qemu.py places it')


def include(found, name, folder):
    """
    The #include of one of the overlay's headers.

    NAME is the overlay's file that has it, or '' for one of QEMU's; FOLDER is where that
    is in QEMU's tree.
    """
    header = found[1].removeprefix('rvic/') if found[1].startswith('rvic/') else \
        posixpath.normpath(posixpath.join(posixpath.dirname(name), found[1]))
    if found[1].startswith('rvic/') or os.path.isfile(os.path.join(TOP, header)):
        if header == 'hw-intc/rvic_compat.h':
            return ''
        if header in PASTED:
            return re.sub(r'\A/\*.*?\*/\n+', '', text_of(header), flags=re.S)
        to = place(header)
        if to:
            public = to.startswith('include/')
            return '#include "%s"\n' % to.removeprefix('include/' if public else folder + '/')
    return found[0]


def with_includes(text, name, folder):
    return re.sub(r'^#include "([^"]+)"\n', lambda found: include(found, name, folder), text,
                  flags=re.M)


def text_of(name):
    """The text of a file of the overlay, with the words of QEMU's tree."""
    text = with_includes(read(TOP, name), name, posixpath.dirname(place(name) or ''))
    for file, pattern, to in EDITS:
        if file == name:
            text, times = re.subn(pattern, to, text, flags=re.M)
            if not times:
                raise Problem(f'{name}: scripts/export_qemu.py finds no /{pattern}/ to change')
    if name.endswith('.rst'):
        text = re.sub(r'^\.\. overlay-only\n.*?^\.\. end overlay-only\n+', '', text,
                      flags=re.M | re.S)
    for pattern, to in WORDS:
        text = re.sub(pattern, to, text)
    return text


def for_version(text, version):
    for pattern, to in NAMES[version]:
        text = re.sub(pattern, to, text)
    return re.sub(r'(?<=# Since: )\d+\.\d+$', NEXT[version], text, flags=re.M)


def check_names():
    """NAMES has all that rvic_compat.h has."""
    have = re.findall(r'^(?:typedef .* (\w+);|#define (\w+)\()', read(TOP, 'hw-intc/rvic_compat.h'),
                      re.M)
    for name in {first or second for first, second in have}:
        if not any(name in pattern for pattern, _ in NAMES['10.0']):
            raise Problem(f'hw-intc/rvic_compat.h: scripts/export_qemu.py does not know {name}')


def added(version):
    """{name: text} of all files that are new in QEMU's tree."""
    files = {}
    for name in overlay():
        to = place(name)
        if to:
            files[to] = for_version(text_of(name), version)
    return files


# ---- Files of QEMU's -------------------------------------------------------

def hooked(tree):
    """{name: (text before, text after)} of the files that patches/ change."""
    files, links = patched(tree, f"QEMU {pristine(tree, 'VERSION').strip()}", [
        name for name in overlay() if re.fullmatch(r'patches/[^/]*\.patch', name)
        and name != 'patches/0001-build.patch'])
    for name, target in links.items():
        check_link(name, target)
    return {name: (before, with_includes(after, '', posixpath.dirname(name)))
            for name, (before, after) in files.items()}


def mended(tree):
    """What patches/fixes/ become, first in the series: (patch, {name: text})."""
    names = sorted(name for name in overlay() if re.fullmatch(r'patches/fixes/.*\.patch', name))
    steps = []
    # All of them first: that refuses what does not fit, and leaves out what QEMU has.
    files, _ = patched(tree, f"QEMU {pristine(tree, 'VERSION').strip()}", names)
    with tempfile.TemporaryDirectory(prefix='rvic-series-') as folder:
        now = {name: before for name, (before, _) in files.items()}
        write_files(folder, now)
        for name in names:
            subprocess.run(['git', 'apply', '--whitespace=nowarn', os.path.join(TOP, name)],
                           env={**os.environ, 'GIT_CEILING_DIRECTORIES': os.path.dirname(folder)},
                           cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            after = {file: read(folder, file) for file in files}
            changes = {file: text for file, text in after.items() if text != now[file]}
            if changes:
                message, _, _ = read(TOP, name).partition('\n---\n')
                steps.append((Patch(name, re.sub(r'\n*SPDX-.*\s*\Z', '\n', message), []), changes))
            now = after
    for name, (_, after) in files.items():
        if now[name] != after:
            raise Problem(f'patches/fixes/: {name} becomes something else, one by one')
    return steps


def check_link(name, target):
    """A link into the overlay is the file itself, which goes to the link's place."""
    file = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    if place(file.removeprefix('rvic/')) not in (name, None):
        raise Problem(f'patches/: {name} is a link to {target}, which goes elsewhere')


def behind(text, pattern, more, name):
    """TEXT with more lines behind those that match."""
    if not pattern:
        return text.rstrip('\n') + '\n\n' + more.rstrip('\n') + '\n'
    found = re.search(pattern, text, re.M)
    if not found:
        raise Problem(f'{name}: scripts/export_qemu.py finds no /{pattern}/ to add lines to')
    if found[0].endswith('\n\n'):
        more = more.rstrip('\n') + '\n\n'
    return text[:found.end()] + more + text[found.end():]


def changed(tree):
    """{name: (text before, text after)} of QEMU's files that change, but for meson.build."""
    files = hooked(tree)
    more = list(LINES)
    for name, (to, pattern) in MERGES.items():
        if not to.endswith('meson.build'):
            more.append((to, pattern, part_of(name)))
    for name, pattern, lines in more:
        before, after = files.get(name) or (pristine(tree, name),) * 2
        files[name] = before, behind(after, pattern, lines, name)
    return files


def part_of(name):
    """What a file that is merged has behind its heading."""
    return re.sub(r'\A(#.*\n)+\n*', '', text_of(name))


# ---- What is there after each patch ----------------------------------------

# Where a group of new lines may be divided
PIECE = re.compile(r'#include |config |# \w+\.c|    case |    kvm_arm_\w+\(.*\);$|   [\w-]+/?')


def pieces(before, after):
    """
    The changes that lead from one text to another: (lines of the one from where, to where,
    lines in their place).
    """
    old, new = before.splitlines(True), after.splitlines(True)
    for kind, start, end, first, last in difflib.SequenceMatcher(
            None, old, new, autojunk=False).get_opcodes():
        if kind == 'equal':
            continue
        # An empty line belongs to what is behind it.
        starts = {max(first, line - (new[line - 1] == '\n')) for line in range(first, last)
                  if kind == 'insert' and PIECE.match(new[line])} | {first}
        for line, following in zip(sorted(starts), [*sorted(starts)[1:], last]):
            yield start, end, ''.join(new[line:following])


class Changes:
    """One of QEMU's files, and which changes to it have been made."""

    def __init__(self, name, before, after):
        self.name, self.before = name, before
        self.all = list(pieces(before, after))
        self.made = set()

    def make(self, pattern):
        """Make those changes that match; whether there are any that had not been made."""
        matching = {number for number, (start, end, lines) in enumerate(self.all)
                    if re.search(pattern, lines, re.M)}
        new = matching - self.made
        self.made |= new
        return bool(new)

    def make_pages(self, there):
        """Make those changes that name a page that is there."""
        for number, (_, _, lines) in enumerate(self.all):
            page = posixpath.join(posixpath.dirname(self.name), lines.strip() + '.rst')
            if page in there:
                self.made.add(number)

    def text(self):
        lines = self.before.splitlines(True)
        for number in sorted(self.made, reverse=True):
            start, end, new = self.all[number]
            lines[start:end] = [new]
        return ''.join(lines)


def only_there(text, folder, there):
    """A part of a meson.build without sources that are not there yet; '' without any."""
    def is_there(name):
        return posixpath.normpath(posixpath.join(folder, name)) in there

    def sources(found):
        names = [name for name in re.findall(r"'([^']+)'", found[2]) if is_there(name)]
        if not names:
            return ''
        start = re.sub(r',\s+', ', ', found[1]) + 'files('
        if '\n' in found[2]:
            return f'{start}\n' + ''.join(f"  '{name}',\n" for name in names) + found[3]
        return start + ', '.join(f"'{name}'" for name in names) + found[3]

    if not any(name.startswith(folder + '/') for name in there):
        return ''
    paragraphs = []
    for before in text.split('\n\n'):
        after = re.sub(r'^(\w+_ss\.add\((?:when: [^:]*,\s+if_\w+: )?'
                       r'|\w+ = declare_dependency\(sources: )files\(([^)]*)(\)\)\n)',
                       sources, before + '\n', flags=re.M)
        # A test's line goes with what is said of it.
        after = re.sub(r"(?:^  #.*\n)*^  '([\w-]+)': \[.*\n", lambda found: found[0] if any(
            is_there(form % found[1]) for form in ('%s.c', 'test_aarch64_%s.py')) else '', after,
            flags=re.M)
        if 'files(' in after or 'files(' not in before:
            paragraphs.append(after[:-1])
    return '\n\n'.join(paragraphs)


def maintainers(text, files, author):
    """QEMU's MAINTAINERS, with a section behind the board's."""
    names = []
    for name in files:
        found = [rule for rule in MAINTAINED if fnmatch.fnmatchcase(name, rule)]
        if not found:
            raise Problem(f'{name}: nothing in MAINTAINED of scripts/export_qemu.py matches it')
        names.append(found[0])
    lines = [SECTION, f'M: {author.name} <{author.email}>', 'L: qemu-arm@nongnu.org',
             'S: Maintained', *(f'F: {name}' for name in sorted(set(names)))]
    return behind(text, r'^Virt\n(?:.+\n)*F: hw/arm/virt\*\n(?:.+\n)*\n', '\n'.join(lines) + '\n\n',
                  'MAINTAINERS')


def check_leftovers(patch, files):
    for name, (before, text) in files.items():
        old = set(before.splitlines())
        for line in text.splitlines():
            found = LEFTOVERS.search(line)
            if found and line not in old:
                raise Problem(f'{patch.name}: {name}: "{found[0]}" means nothing in QEMU\'s tree: '
                              f'{line.strip()}')


def check_pages(patch, files, there, tree):
    """A page has no reference to one that is not there."""
    for name, text in files.items():
        for target in re.findall(r':doc:`(?:[^`<]*<)?([^`>]+)>?`', text) \
                if name.endswith('.rst') else []:
            page = ('docs' if target.startswith('/') else posixpath.dirname(name) + '/') \
                + target + '.rst'
            if page not in there and not pristine(tree, page):
                raise Problem(f'{patch.name}: {name} refers to {page}, which is not there')


class State:
    """What is there after some of the patches."""

    def __init__(self, tree, author):
        self.tree, self.version = tree, version_of(tree)
        check_names()
        self.author, self.added = author, added(self.version)
        self.changes = {name: Changes(name, *texts) for name, texts in changed(tree).items()}
        self.base = {name: change.before for name, change in self.changes.items()}
        for name in 'MAINTAINERS', '.gitattributes':
            self.base[name] = pristine(tree, name)
        self.parts = {name: merge for name, merge in MERGES.items()
                      if merge[0].endswith('meson.build')}
        for name, _ in self.parts.values():
            self.base[name] = pristine(tree, name)
        self.there, self.now = set(), dict(self.base)

    def take(self, patch):
        """Add what a patch contains; its files, new or changed: {name: text}."""
        files = {}
        for line in patch.contents:
            name, colon, pattern = line.partition(': ')
            if colon:
                if name not in self.changes or not self.changes[name].make(pattern):
                    raise Problem(f'{patch.name}: {name} has no change that matches {pattern}')
                continue
            names = set(fnmatch.filter(self.added, name)) - self.there
            if not names:
                raise Problem(f'{patch.name}: {name}: no file of the series is called so')
            files.update({name: self.added[name] for name in names})
            self.there |= names
        texts = {}
        for name, change in self.changes.items():
            if name.startswith('docs/'):
                change.make_pages(self.there)
            texts[name] = change.text()
        for name, (to, pattern) in self.parts.items():
            part = only_there(part_of(name), posixpath.dirname(to), self.there)
            texts[to] = behind(self.base[to], pattern, part, to) if part else self.base[to]
        files.update({name: text for name, text in texts.items() if text != self.now[name]})
        if self.there:
            text = maintainers(self.base['MAINTAINERS'], self.there, self.author)
            if text != self.now['MAINTAINERS']:
                files['MAINTAINERS'] = text
        check_leftovers(patch, {name: (self.base.get(name, ''), text)
                                for name, text in files.items()})
        check_pages(patch, files, self.there, self.tree)
        self.now.update(files)
        return files

    def check_complete(self):
        for name in sorted(set(self.added) - self.there):
            raise Problem(f'no patch of scripts/series/qemu adds {name}')
        for name, change in self.changes.items():
            for number in sorted(set(range(len(change.all))) - change.made):
                # Pages that stay are missing in lists.
                if not re.match('docs/(devel|tools)/', name):
                    raise Problem(f'no patch of scripts/series/qemu makes this change to {name}: '
                                  + change.all[number][2].strip().splitlines()[0])


def series(tree, author):
    """(files as they are, cover letter, steps)"""
    state = State(tree, author)
    cover, *patches = messages('scripts/series/qemu')
    fixes = mended(tree)
    for patch, files in fixes:
        for name in files:
            if name in state.base:
                raise Problem(f'{patch.name}: {name} is one of the files that hooks change')
    base = {**state.base, **{name: pristine(tree, name) for _, files in fixes for name in files}}
    steps = [(patch, state.take(patch)) for patch in patches]
    state.check_complete()
    return base, cover, fixes + steps
