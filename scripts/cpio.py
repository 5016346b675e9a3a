# SPDX-License-Identifier: GPL-2.0-or-later
"""Write archives that Linux unpacks as its initial file system (cpio, format "newc")."""

import os
import shutil
import stat


class Archive:
    """
    An archive that is being written. Several, one behind the other, are one
    for Linux; of what is there twice the last counts.
    """

    def __init__(self, file):
        """FILE: where it is written to, from a position that 4 divides."""
        self.file = file
        self.number = 0
        self.folders = {''}

    def header(self, name, mode, size, device=(0, 0)):
        """Everything belongs to root and is from 1970, so that equal input gives equal bytes."""
        self.number += 1
        encoded = os.fsencode(name) + b'\0'
        fields = [self.number, mode, 0, 0, 1, 0, size, 0, 0, *device, len(encoded), 0]
        data = b'070701' + b''.join(b'%08x' % field for field in fields) + encoded
        self.file.write(data + bytes(-len(data) % 4))

    def folder(self, name):
        """A folder, and those that it is in."""
        name = name.strip('/')
        if name not in self.folders:
            self.folder(os.path.dirname(name))
            self.folders.add(name)
            self.header(name, stat.S_IFDIR | 0o755, 0)

    def data(self, name, content, mode=0o644):
        """A file with this content."""
        self.folder(os.path.dirname(name))
        self.header(name.strip('/'), stat.S_IFREG | mode, len(content))
        self.file.write(content + bytes(-len(content) % 4))

    def link(self, name, target):
        """A symbolic link."""
        self.folder(os.path.dirname(name))
        self.header(name.strip('/'), stat.S_IFLNK | 0o777, len(os.fsencode(target)))
        self.file.write(os.fsencode(target) + bytes(-len(os.fsencode(target)) % 4))

    def console(self):
        """/dev/console, which Linux opens for the first process."""
        self.folder('dev')
        self.header('dev/console', stat.S_IFCHR | 0o600, 0, (5, 1))

    def copy(self, name, path):
        """A file as it is outside, whatever links lead to it."""
        with open(path, 'rb') as source:
            info = os.fstat(source.fileno())
            self.folder(os.path.dirname(name))
            self.header(name.strip('/'),
                        stat.S_IFREG | (0o755 if info.st_mode & 0o100 else 0o644), info.st_size)
            shutil.copyfileobj(source, self.file, 1 << 20)
            self.file.write(bytes(-info.st_size % 4))

    def tree(self, name, path, wanted=lambda path: True):
        """
        A folder and all that is in it; links stay links.

        WANTED tells of a path below PATH whether it is to be there.
        """
        self.folder(name)
        for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
            inner = os.path.join(name, entry.name)
            if not wanted(entry.path):
                continue
            if entry.is_symlink():
                self.link(inner, os.readlink(entry.path))
            elif entry.is_dir():
                self.tree(inner, entry.path, wanted)
            elif entry.is_file():
                self.copy(inner, entry.path)

    def end(self):
        """Linux looks for the next archive behind it."""
        self.header('TRAILER!!!', 0, 0)
        self.file.write(bytes(-self.file.tell() % 512))
