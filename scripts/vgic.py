# SPDX-License-Identifier: GPL-2.0-or-later
"""Show what KVM's vGIC does with the virtual CPU interface of a GICv2 and of a GICv3: how many
list registers it uses at once, what maintenance interrupts are for, who sends SGIs, and how
often an interrupt traps; and with rVIC instead.

Sets up whatever is missing first. An emulated host with KVM runs a guest with 4 vCPUs whose
interrupts crowd; QEMU's trace events of the host's interface are replayed by a model of the
architecture, and what breaks its rules is told, with exit status 1. Then other guests, without
trace events, have interrupts that are all alike, and exits from them are counted.
"""

import argparse
import collections
import json
import os
import shlex
import signal
import sys
import tempfile

import bench_guest
import kvm_host
import vgic_model
import vgic_plot
import vgic_trace
from bench_row import layout
from commands import BUILD, TOP, NoFigure, prepare

TITLES = {'gicv2': 'GICv2', 'gicv3': 'GICv3', 'rvic': 'rVIC'}

# What the crowd does: blocks of each disk, and how often each CPU wakes the next
READS, WAKES = 300, 100
QUICK_READS, QUICK_WAKES = 60, 20

MEASURED = {'timer': "timer's PPI", 'ipi-idle': 'IPI to an idle vCPU',
            'ipi-busy': 'IPI to a busy vCPU', 'disk': 'MSI of a disk that is read',
            'intx': 'level of a disk that is read (INTx)'}

# Of these measurements, vCPUs are busy. In others, some of these exits are for ticks.
BUSY = 'timer', 'ipi-busy'
AT_MOST = 'IRQ', 'WFI'

# The host has as many CPUs everywhere: how much interrupts crowd depends on it.
HOST_CPUS = 2

# How long exits are counted, unless --seconds is there
SECONDS = 5

KINDS = 'SGI', 'PPI', 'SPI, edge', 'SPI, level', 'LPI'


class Failed(Exception):
    """There is no result."""


def parse():
    parser = argparse.ArgumentParser(
        prog='scripts/vgic', description=__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--gic', type=int, choices=(2, 3),
                        help="only a host with that GIC (default: one after the other)")
    parser.add_argument('--quick', action='store_true',
                        help='a short crowd, and nothing else: neither rVIC nor exits')
    parser.add_argument('--seconds', type=int, metavar='N',
                        help='how long exits are counted for each kind of interrupt (default: '
                             f'{SECONDS}), not with --quick')
    parser.add_argument('--plot', metavar='FILE.svg',
                        help='draw the list registers in use over time')
    parser.add_argument('--keep', metavar='FOLDER', help="keep the traces, 'gicv2.trace' ...")
    parser.add_argument('--replay', metavar='FILE',
                        help='only read a trace of a host with the GIC that --gic says; not with '
                             '--quick, --seconds, --keep')
    parser.add_argument('--json', action='store_true', help='print JSON instead of tables')
    args = parser.parse_args()
    if args.seconds is not None and not 1 <= args.seconds <= 1000:
        parser.error(f'--seconds: {args.seconds} is not between 1 and 1000')
    if args.replay is not None and not args.gic:
        parser.error('--replay: --gic has to tell the version of the GIC')
    for option, given in (('--quick', args.quick), ('--seconds', args.seconds is not None),
                          ('--keep', args.keep is not None)):
        if args.replay is not None and given:
            parser.error(f'--replay: {option} is for running a host')
    if args.quick and args.seconds is not None:
        parser.error('--quick: no exits are counted, so that --seconds means nothing')
    if args.plot is not None:
        check_plot(parser, args.plot)
    if args.keep is not None and not os.path.isdir(args.keep):
        parser.error(f'--keep: there is no folder {args.keep}')
    args.seconds = args.seconds or SECONDS
    return args


def check_plot(parser, path):
    """It is written last, after minutes."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        parser.error(f'--plot: there is no folder for {path}')
    if not path or os.path.isdir(path):
        parser.error(f"--plot: '{path}' is not the name of a file")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        parser.error(f'--plot: {path} cannot be written')


# ---- Running hosts -----------------------------------------------------------

def trace_arguments(version, events, path):
    """What has the QEMU that emulates the host write a trace to PATH."""
    with open(events, 'w', encoding='ascii') as file:
        file.write('\n'.join([*vgic_trace.EVENTS[version], '']))
    return ['-msg', 'timestamp=on', '-trace', f'events={events}', '-D', path]


def run_host(version, folder, options, trace=None):
    """
    Run vgic_host.py on an emulated host.

    :param version: of its GIC
    :param folder: for temporary files
    :param options: for vgic_host.py
    :param trace: file for QEMU's trace, if there is to be one
    :return: the result
    """
    # Only this one is in the host's file system.
    shared = os.path.join(folder, 'shared')
    os.makedirs(shared, exist_ok=True)
    initrd, output = os.path.join(shared, 'initrd'), os.path.join(shared, 'result')
    tree = os.path.dirname(os.path.realpath(BUILD))
    bench_guest.pack(initrd, os.path.join(tree, 'build-kvm/rvic/tests-kvm/bench'))
    arguments = trace_arguments(version, os.path.join(folder, 'events'), trace) if trace else ()
    host = kvm_host.Options(gic=version, arguments=arguments)
    host.cpus = HOST_CPUS
    command = ['/usr/bin/python3', os.path.join(TOP, 'scripts/vgic_host.py'),
               '--qemu', os.path.join(BUILD, 'qemu-system-aarch64'),
               '--image', os.path.join(host.guest, 'Image'), '--initrd', initrd,
               '--output', output, *options]
    status = kvm_host.run(shlex.join(command), host, TOP, {}, files=[initrd], kept=[shared])
    if status:
        raise Failed(f'the host with a GICv{version} failed: see above')
    with open(output, encoding='utf-8') as file:
        return json.load(file)


def crowd(version, folder, reads, wakes, trace):
    """The crowd on a host that is traced."""
    return run_host(version, folder, ['--crowd', f'gicv{version}', '--reads', str(reads),
                                      '--wakes', str(wakes)], trace)


def replay(version, lines, series=None):
    """
    Have the model replay the lines of a trace.

    :param series: vgic_plot.Series that gets the number of valid list registers
    """
    model = vgic_model.Model(version, series.add if series else None)
    for number, event in vgic_trace.read(lines, version):
        model.feed(number, event)
    if not model.counts.used:
        raise Failed('the trace has no list register that was used')
    return model.finish()


def replay_file(version, path, series=None):
    with open(path, encoding='utf-8', errors='replace') as file:
        return replay(version, file, series)


# ---- Results -----------------------------------------------------------------

def summary(model):
    """What a model has counted, for JSON."""
    counts = model.counts
    sources = collections.Counter()
    for (_, source), number in counts.sgis.items():
        sources[f'vCPU {source}'] += number
    return {
        'events': counts.events, 'list_registers': model.list_registers,
        'used': {str(number): counts.used[number] for number in sorted(counts.used)},
        'overflows': counts.overflows, 'maintenance': dict(counts.causes),
        'transients': counts.transients, 'sgi_sources': dict(sorted(sources.items())),
        'interrupts': {kind: {'acknowledged': counts.acknowledged[kind],
                              'ended': counts.ended[kind],
                              'eoi_maintenance': counts.eoi_maintenance[kind]}
                       for kind in KINDS if counts.acknowledged[kind]},
        'spurious': counts.spurious, 'unlisted_eois': counts.unlisted_eois,
        'active_at_end': sum(model.parked.values()),
        'faults': model.faults, 'broken': dict(model.broken)}


def show_summary(title, result):
    """The same for people."""
    used = {int(number): runs for number, runs in result['used'].items()}
    total = sum(used.values())
    print(f'\nHost with a {title}: {total:,} times a vCPU ran with an interrupt in a list '
          f"register, of which the host's CPUs have {result['list_registers']} each\n")
    lines = [['', 'times', 'of all']]
    lines += [[f'{number} list registers in use', f'{runs:,}', f'{100 * runs / total:.1f} %']
              for number, runs in used.items()]
    lines += [['more interrupts than fit (HCR.UIE)', f"{result['overflows']:,}",
               f"{100 * result['overflows'] / total:.1f} %"]]
    print(layout(lines) + '\n')
    lines = [['', 'times']]
    lines += [[f'maintenance interrupt, MISR.{cause}', f'{number:,}']
              for cause, number in result['maintenance'].items() if number]
    lines += [['raised only while the hypervisor writes registers', f"{result['transients']:,}"]]
    print(layout(lines) + '\n')
    lines = [['', 'acknowledged', 'ended', 'maintenance for EOI', 'per EOI']]
    lines += [[kind, *(f'{number:,}' for number in numbers.values()),
               f"{numbers['eoi_maintenance'] / max(numbers['ended'], 1):.2f}"]
              for kind, numbers in result['interrupts'].items()]
    print(layout(lines) + '\n')
    sent = result.get('crowd', {}).get('sgis', {})
    if sent or result['sgi_sources']:
        lines = [['', 'SGI writes that trap', 'SGIs by source in the list register']]
        lines += [[vcpu, f'{sent.get(vcpu, 0):,}', f"{result['sgi_sources'][vcpu]:,}"
                   if vcpu in result['sgi_sources'] else '']
                  for vcpu in sorted({*sent, *result['sgi_sources']})]
        print(layout(lines) + '\n')
    rules = len(vgic_model.RULES)
    print(f"Checked against {rules} rules: {result['events']:,} events, "
          f"{sum(result['broken'].values())} faults"
          + ''.join(f'\n  {fault}' for fault in result['faults']), flush=True)


def traps(measurements, name):
    """
    From class of exits to their number per interrupt, the most frequent first.

    Ticks go on meanwhile. What a timer's interrupt takes is known of a busy vCPU, and is
    subtracted; but not what depends on whether the vCPU is idle.
    """
    measured, timer = measurements[name], measurements['timer']
    found = {}
    for one in {**measured['exits'], **timer['exits']}:
        hits = measured['exits'].get(one, 0)
        if name != 'timer' and (name in BUSY or one not in AT_MOST):
            hits -= measured['ticks'] * timer['exits'].get(one, 0) / timer['ticks']
        found[one] = hits / measured['ticks' if name == 'timer' else 'interrupts']
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def show_traps(measurements):
    chips = [chip for chip in TITLES if chip in measurements]
    lines = [['', *(TITLES[chip] for chip in chips)]]
    for name, title in MEASURED.items():
        found = {chip: traps(measurements[chip], name) for chip in chips}
        bound = '' if name in BUSY else '<= '
        lines.append([title, *(f'{bound}{sum(found[chip].values()):.2f}' for chip in chips)])
        # What is left of others is noise.
        told = dict.fromkeys(one for chip in chips for one, number in found[chip].items()
                             if number >= 0.1)
        lines += [[f'- {one}', *(f'{bound if one in AT_MOST else ""}{found[chip][one]:.2f}'
                                 if found[chip].get(one, 0) >= 0.1 else '' for chip in chips)]
                  for one in told]
    print('\nExits from the guest per interrupt:\n\n' + layout(lines), flush=True)


def show_lines(result):
    """What rVIC's lines did."""
    total = sum(level for _, _, level in result['lines'])
    print(f"\nrVIC: {total:,} times an IRQ line rose, in {result['seconds']:.1f} s of the guest; "
          f"its exits: " + ', '.join(f'{name} {number:,}' for name, number
                                     in result['exits'].items()), flush=True)


def measure_all(args, folder):
    """All that was asked for: (results by chip, Series by chip)."""
    results, series = {}, {}
    reads, wakes = (QUICK_READS, QUICK_WAKES) if args.quick else (READS, WAKES)
    for version in [args.gic] if args.gic else [2, 3]:
        chip = f'gicv{version}'
        trace = os.path.join(args.keep or folder, f'{chip}.trace')
        ran = crowd(version, folder, reads, wakes, trace)
        series[chip] = vgic_plot.Series()
        results[chip] = {**summary(replay_file(version, trace, series[chip])),
                         'kernel': ran['kernel'], 'crowd': ran['crowd'][chip]}
        if not args.json:
            show_summary(TITLES[chip], results[chip])
        if not args.keep:
            os.unlink(trace)
        if args.quick:
            continue
        chips = [chip] if version == 2 else [chip, 'rvic']
        ran = run_host(version, folder, [
            '--reads', str(reads), '--wakes', str(wakes), '--seconds', str(args.seconds),
            '--measure', *chips, '--crowd', *chips[1:]])
        for measured in chips:
            results.setdefault(measured, {})['measurements'] = ran['measurements'][measured]
        if 'rvic' in chips:
            results['rvic']['crowd'] = ran['crowd']['rvic']
            series['rvic'] = vgic_plot.Series()
            for time, vcpu, level in ran['crowd']['rvic']['lines']:
                series['rvic'].add(time, vcpu, level)
    return results, series


def draw(path, results, series):
    gics = [(TITLES[chip], one, results[chip]['list_registers'])
            for chip, one in series.items() if chip != 'rvic']
    vgic_plot.plot(path, gics, series.get('rvic'))


def show_replay(args):
    series = vgic_plot.Series()
    result = summary(replay_file(args.gic, args.replay, series))
    chip = f'gicv{args.gic}'
    if args.json:
        print(json.dumps({chip: result}), flush=True)
    else:
        show_summary(TITLES[chip], result)
    if args.plot:
        draw(args.plot, {chip: result}, {chip: series})
    return bool(result['broken'])


def main():
    args = parse()
    if args.replay is not None:
        return show_replay(args)
    prepare('setup', '--tests', '--kvm')
    prepare('guest')
    prepare('kvm-host')
    with tempfile.TemporaryDirectory(prefix='rvic-vgic-') as folder:
        results, series = measure_all(args, folder)
    if args.json:
        print(json.dumps(results), flush=True)
    elif not args.quick:
        show_traps({chip: result['measurements'] for chip, result in results.items()})
        if 'rvic' in results:
            show_lines(results['rvic']['crowd'])
    if args.plot:
        draw(args.plot, results, series)
    return int(any(result.get('broken') for result in results.values()))


def run_main():
    try:
        return main()
    except (Failed, NoFigure, vgic_trace.Unreadable) as failed:
        print(f'vgic: error: {failed}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    for signum in signal.SIGTERM, signal.SIGHUP:
        signal.signal(signum, kvm_host.stop)
    try:
        sys.exit(kvm_host.exit_status('vgic', run_main))
    except KeyboardInterrupt:
        sys.exit(130)
