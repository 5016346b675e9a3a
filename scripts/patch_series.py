# SPDX-License-Identifier: GPL-2.0-or-later
"""
A series of patches, made by committing files to a repository of its own.

A series is described by a folder of text files, one for each patch in the order of
their names: the commit message, a line of dashes, and what the patch contains, which
export_linux.py and export_qemu.py know how to read. The one that begins with 00 is
the cover letter's.
"""

import collections
import os
import re
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

Identity = collections.namedtuple('Identity', 'name email')
# What a patch contains is a list of lines; FILES maps the names of files that it adds
# or changes to their text.
Patch = collections.namedtuple('Patch', 'name message contents')


class Problem(Exception):
    """What is wrong, and what to do about it, in one line."""


def identity():
    """The author of the patches: whom git takes for one."""
    done = subprocess.run(['git', '-c', 'user.useConfigOnly=true', 'var', 'GIT_AUTHOR_IDENT'],
                          cwd=TOP, capture_output=True, text=True, check=False)
    found = re.fullmatch(r'(.+) <(.+)> \d+ [-+]\d+', done.stdout.strip())
    if done.returncode or not found:
        raise Problem('git does not know who you are, and patches need an author: '
                      'git config --global user.name NAME, and user.email likewise')
    return Identity(*found.groups())


def date():
    """Of all the patches, so that the same checkout gives the same series; '' for now."""
    if 'SOURCE_DATE_EPOCH' in os.environ:
        return os.environ['SOURCE_DATE_EPOCH'] + ' +0000'
    done = subprocess.run(['git', 'log', '-1', '--format=%cI'], cwd=TOP, capture_output=True,
                          text=True, check=False)
    return done.stdout.strip()


def read(*names):
    with open(os.path.join(*names), encoding='utf-8') as file:
        return file.read()


def write_files(folder, files):
    """FILES: {name: text}; a script can be executed"""
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        if text.startswith('#!'):
            os.chmod(path, 0o755)


def messages(folder):
    """The patches that a folder describes, the cover letter first."""
    patches = []
    for name in sorted(os.listdir(os.path.join(TOP, folder))):
        text = re.sub(r'\A(#.*\n)+\n*', '', read(TOP, folder, name))
        message, _, contents = text.partition('\n---\n')
        lines = [line.strip() for line in contents.splitlines()]
        patches.append(Patch(f'{folder}/{name}', message.strip() + '\n',
                             [line for line in lines if line and not line.startswith('#')]))
    return patches


def pristine(tree, name):
    """A file of a source tree as it was before scripts/setup or guest; '' if there is none."""
    for path in (os.path.join(tree, '.rvic-pristine', name), os.path.join(tree, name)):
        link = os.readlink(path) if os.path.islink(path) else ''
        if os.path.isfile(path) and '/rvic/' not in link:
            return read(path)
    return ''


def patched(tree, title, names):
    """
    What a source tree's files become by patches of this repository, which have little
    context, by scripts/lib.sh: ({name: (text before, text after)}, {name of a link: target}).
    """
    with tempfile.TemporaryDirectory(prefix='rvic-series-') as folder:
        for file in {'.gitattributes'} | {file for name in names for file in re.findall(
                r'^\+\+\+ b/(.*)$', read(TOP, name), re.M)}:
            os.makedirs(os.path.dirname(os.path.join(folder, file)), exist_ok=True)
            text = pristine(tree, file)
            if text:
                with open(os.path.join(folder, file), 'w', encoding='utf-8') as out:
                    out.write(text)
        done = subprocess.run(
            ['bash', '-c', '. "$1"; shift; apply_series "$@"', 'export-series',
             os.path.join(TOP, 'scripts/lib.sh'), folder, title,
             *(os.path.join(TOP, name) for name in names)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Problem(done.stderr.strip().splitlines()[-1].partition('error: ')[2])
        files, links = {}, {}
        for root, folders, found in os.walk(folder):
            folders[:] = [name for name in folders if name != '.rvic-pristine']
            for path in (os.path.join(root, name) for name in found):
                file = os.path.relpath(path, folder)
                if os.path.islink(path):
                    links[file] = os.readlink(path)
                elif file != '.gitattributes':
                    files[file] = pristine(tree, file), read(path)
        return files, links


class Repository:
    """The files that a series touches, under git: its patches are those of the whole tree."""

    def __init__(self, folder, author):
        self.folder = folder
        self.env = {**{name: value for name, value in os.environ.items()
                       if not name.startswith('GIT_')},
                    'GIT_CONFIG_GLOBAL': os.devnull, 'GIT_CONFIG_NOSYSTEM': '1'}
        if date():
            self.env.update(GIT_AUTHOR_DATE=date(), GIT_COMMITTER_DATE=date())
        for role in 'AUTHOR', 'COMMITTER':
            self.env[f'GIT_{role}_NAME'] = author.name
            self.env[f'GIT_{role}_EMAIL'] = author.email
        self.git('init', '-q', '-b', 'series')

    def git(self, *arguments, **options):
        done = subprocess.run(['git', *arguments], cwd=self.folder, env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, **options)
        if done.returncode:
            raise Problem(f'git {arguments[0]}: ' + done.stdout.strip().replace('\n', '; '))
        return done.stdout

    def commit(self, message, files, *options):
        """FILES: {name: text}"""
        write_files(self.folder, files)
        self.git('add', '-A', '-f')
        if not self.git('status', '--porcelain') and '--allow-empty' not in options:
            raise Problem(f'nothing is in the patch "{message.splitlines()[0]}"')
        self.git('commit', '-q', '--cleanup=verbatim', '-F', '-', *options, input=message)


def write(out, base, cover, steps, author):
    """
    Write a series of patches to folder OUT; the number of them.

    BASE maps the names of the tree's files that the series changes to their texts; STEPS
    is a list of (Patch, {name: text}).
    """
    with tempfile.TemporaryDirectory(prefix='rvic-series-') as folder:
        repository = Repository(folder, author)
        repository.commit('base\n', base, '--allow-empty')
        start = repository.git('rev-parse', 'HEAD').strip()
        for patch, files in steps:
            repository.commit(patch.message, files, '-s')
        repository.git('config', 'branch.series.description', cover.message)
        repository.git('format-patch', '-q', '--cover-letter', '--cover-from-description=subject',
                       '--no-signature', '--zero-commit', '--full-index', '--no-renames',
                       '-o', os.path.abspath(out), start)
    return len(steps)
