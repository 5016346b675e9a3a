# SPDX-License-Identifier: GPL-2.0-or-later
"""irqtop's live view, in a terminal."""

import curses
import queue
import threading
import time

import irqtop_model as model
import irqtop_qmp as qmp

INTERVALS = 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60

HELP = 'q quit  s sort  p pause  c vCPUs  i idle  +/- interval  Tab section  arrows scroll'

# How long to wait for a key before looking for a new sample, in milliseconds
TICK = 100

MIN_ROWS, MIN_COLUMNS = 7, 40


class Sampler(threading.Thread):
    """Takes samples, however long QEMU takes to answer, while keys are obeyed."""

    def __init__(self, vm, interval):
        # If we are asked to quit while QEMU does not answer, nobody waits for it.
        super().__init__(daemon=True)
        self.vm = vm
        self.interval = interval
        self.samples = queue.SimpleQueue()
        self.paused = False
        self.wake = threading.Event()
        self.asked = None

    def run(self):
        try:
            while True:
                self.asked = asked = time.monotonic()
                sample = self.vm.sample()
                self.asked = None
                self.samples.put(sample)
                self.wait(asked)
        except BaseException as error:  # pylint: disable=broad-except
            # The one who shows it all raises it.
            self.samples.put(error)

    def wait(self, asked):
        """Until it is time for the next, which may change while we wait."""
        while True:
            left = asked + self.interval - time.monotonic()
            if left <= 0 and not self.paused:
                return
            self.wake.wait(None if self.paused else left)
            self.wake.clear()

    def waits(self):
        """For how long QEMU has not answered, in seconds."""
        asked = self.asked
        return 0 if asked is None else time.monotonic() - asked


class Screen:
    """What is shown, and how."""

    def __init__(self, window, vm, args):
        self.window = window
        self.vm = vm
        self.sampler = Sampler(vm, args.interval)
        self.sort, self.cpus, self.idle = args.sort, args.cpus, args.idle
        self.old = self.new = None
        self.top = 0
        # Line numbers of the sections' titles, of all lines, and of those on the screen
        self.titles, self.length, self.page = [], 0, 1
        # What is being typed, or None; what was wrong with it
        self.typed, self.message = None, ''
        self.styles = {model.TITLE: curses.A_REVERSE, model.PLAIN: curses.A_NORMAL,
                       model.BUSY: curses.A_BOLD, model.STUCK: curses.A_BOLD | curses.A_STANDOUT}
        if curses.has_colors():
            curses.start_color()
            curses.use_default_colors()
            curses.init_pair(1, curses.COLOR_RED, -1)
            self.styles[model.STUCK] = curses.A_BOLD | curses.color_pair(1)
        try:
            curses.curs_set(0)
        except curses.error:
            pass    # not every terminal can hide it
        window.timeout(TICK)

    # ---- Drawing ----

    def put(self, row, text, attributes=curses.A_NORMAL, column=0):
        """A line, as far as it fits. The last cell of a terminal cannot be written."""
        _, columns = self.window.getmaxyx()
        try:
            self.window.addnstr(row, column, text, max(0, columns - 1 - column), attributes)
        except curses.error:
            pass    # it was made smaller just now

    def draw(self):
        self.window.erase()
        rows, columns = self.window.getmaxyx()
        if rows < MIN_ROWS or columns < MIN_COLUMNS:
            self.put(0, f'too small: {MIN_COLUMNS}x{MIN_ROWS} needed')
        elif self.new:
            self.draw_view(rows)
        else:
            self.put(0, 'Waiting for QEMU ...')
        self.window.refresh()

    def draw_view(self, rows):
        seen = model.only_cpus(model.view(self.vm.machine, self.old, self.new), self.cpus)
        first, second = model.heading(seen)
        self.put(0, first, curses.A_BOLD)
        self.put(1, second)
        self.put(2, ', '.join([*self.marks(), f'sorted by {self.sort}',
                               f'every {self.sampler.interval:g} s']))
        lines = list(model.lines(seen, self.sort, self.idle))
        self.titles = [n for n, (style, _) in enumerate(lines) if style == model.TITLE]
        self.length, self.page = len(lines), rows - 4
        self.top = max(0, min(self.top, self.length - self.page))
        for row, (style, text) in enumerate(lines[self.top:self.top + self.page]):
            self.put(3 + row, text, self.styles[style])
        self.draw_last(rows - 1)

    def marks(self):
        """What is unusual."""
        late = self.sampler.waits()
        if self.sampler.paused:
            yield 'DISPLAY PAUSED'
        if late > 2:
            yield f'QEMU HAS NOT ANSWERED FOR {late:.0f} s'
        if self.idle:
            yield 'with idle'
        if self.cpus is not None:
            yield f'{len(self.cpus)} vCPU(s) chosen'

    def draw_last(self, row):
        if self.typed is not None:
            self.put(row, f'vCPUs to show, such as 0,2-5 (empty: all): {self.typed}_')
        else:
            self.put(row, self.message or HELP, curses.A_REVERSE)

    # ---- Keys ----

    def obey(self, key):
        """
        Do what a key asks for.

        :return: False: to quit
        """
        if key == -1:
            return True     # none, for a tick
        if key == curses.KEY_RESIZE:
            curses.update_lines_cols()
            return True
        if self.typed is not None:
            self.type(key)
            return True
        self.message = ''
        action = {
            ord('s'): self.next_sort, ord('p'): self.pause, ord(' '): self.pause,
            ord('c'): self.ask_cpus, ord('i'): self.toggle_idle,
            ord('+'): lambda: self.change_interval(1), ord('='): lambda: self.change_interval(1),
            ord('-'): lambda: self.change_interval(-1), ord('\t'): self.next_section,
            curses.KEY_UP: lambda: self.scroll(-1), curses.KEY_DOWN: lambda: self.scroll(1),
            curses.KEY_PPAGE: lambda: self.scroll(-self.page),
            curses.KEY_NPAGE: lambda: self.scroll(self.page),
            curses.KEY_HOME: lambda: self.scroll(-self.length),
            curses.KEY_END: lambda: self.scroll(self.length),
        }.get(key)
        if action:
            action()
        return key not in (ord('q'), ord('Q'))

    def next_sort(self):
        self.sort = model.SORTS[(model.SORTS.index(self.sort) + 1) % len(model.SORTS)]

    def pause(self):
        self.sampler.paused = not self.sampler.paused
        self.sampler.wake.set()

    def toggle_idle(self):
        self.idle = not self.idle

    def change_interval(self, step):
        """The next longer or shorter one."""
        now = self.sampler.interval
        others = [n for n in INTERVALS if (n > now if step > 0 else n < now)]
        if others:
            self.sampler.interval = min(others) if step > 0 else max(others)
            self.sampler.wake.set()

    def scroll(self, lines):
        self.top = max(0, min(self.top + lines, self.length - self.page))

    def next_section(self):
        below = [n for n in self.titles if n > self.top]
        if below and self.top < self.length - self.page:
            self.top = below[0]
        else:
            self.top = 0

    def ask_cpus(self):
        self.typed = ''

    def type(self, key):
        """One more key of the list of vCPUs."""
        if key in (curses.KEY_ENTER, ord('\n'), ord('\r')):
            try:
                self.cpus, self.typed = model.parse_cpus(self.typed), None
                self.top = 0
            except ValueError as error:
                self.message, self.typed = f'{error}: press c to try again', None
        elif key == 27:
            self.typed = None
        elif key in (curses.KEY_BACKSPACE, 127, 8):
            self.typed = self.typed[:-1]
        elif 0 < key < 128 and chr(key) in '0123456789,- ':
            self.typed += chr(key)

    # ---- All ----

    def take_samples(self):
        while not self.sampler.samples.empty():
            sample = self.sampler.samples.get()
            if isinstance(sample, BaseException):
                raise sample
            self.old, self.new = self.new, sample

    def run(self):
        self.sampler.start()
        try:
            while True:
                self.take_samples()
                self.draw()
                if not self.obey(self.window.getch()):
                    return 0
        finally:
            # Where a terminal has but one screen, the shell goes on in its last line.
            rows, _ = self.window.getmaxyx()
            self.window.move(rows - 1, 0)
            self.window.clrtoeol()
            self.window.refresh()


def run(vm, args):
    """
    Show a VM until somebody presses q.

    :return: exit status
    """
    # Else Esc would be looked at for a second.
    if hasattr(curses, 'set_escdelay'):
        curses.set_escdelay(25)
    try:
        curses.setupterm()
    except curses.error:
        raise qmp.Failure('TERM names no terminal that is known here: use --once') from None
    if not curses.tigetstr('cup'):
        raise qmp.Failure('this terminal cannot move its cursor: use --once')
    # The terminal is as it was however this ends.
    return curses.wrapper(lambda window: Screen(window, vm, args).run())
