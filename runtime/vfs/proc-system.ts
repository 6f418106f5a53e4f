/**
 * Files of /proc about the machine, for a guest that does not see the host's. In: path components, MachineInfo. Out: nodes. Source: man 5 proc.
 */
import * as os from 'node:os';
import { nodeModules } from '../linux/node-modules.js';
import { ENOTDIR } from '../linux/errno.js';
import { GUEST_START } from '../../src/guest/memory-map.js';
import { LAST_CAP } from '../process/capabilities.js';
import { MAX_TASKS } from '../process/layout.js';
import type { FileContext } from './file-context.js';
import { INOTIFY_EVENTS, MAX_FDS, MAX_FILES, MAX_INOTIFIES, MAX_MARKS, PIPE_CAPACITY } from './layout.js';
import { type Found, named } from './proc-nodes.js';
import { DT, type DirectoryEntry } from './special-node.js';

type Content = (c: FileContext) => string;

const HZ = 100;
const bootTime = (): number => Math.floor(Date.now() / 1000 - os.uptime());
const running = (c: FileContext): number =>
  Math.max(1, c.config.proc.pids().filter((pid) => c.config.proc.task(pid)?.state === 'R').length);

function stat(c: FileContext): string {
  const { cpus } = c.config.machine;
  const used = process.cpuUsage();
  const [user, system] = [used.user, used.system].map((us) => Math.floor((us / 1e6) * HZ)) as [number, number];
  const uptime = Math.floor(os.uptime() * HZ);
  const line = (name: string, n: number): string =>
    `${name} ${Math.floor(user / n)} 0 ${Math.floor(system / n)} ${Math.max(0, uptime - Math.floor((user + system) / n))} 0 0 0 0 0 0\n`;
  const each = Array.from({ length: cpus }, (_, cpu) => line(`cpu${cpu}`, cpus));
  const all = `cpu  ${user} 0 ${system} ${Math.max(0, uptime * cpus - user - system)} 0 0 0 0 0 0\n`;
  const pids = c.config.proc.pids();
  return `${all}${each.join('')}intr 0\nctxt 0\nbtime ${bootTime()}\nprocesses ${pids.length}\nprocs_running ${running(c)}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`;
}

function uptime(c: FileContext): string {
  const used = process.cpuUsage();
  const idle = Math.max(0, os.uptime() * c.config.machine.cpus - (used.user + used.system) / 1e6);
  return `${os.uptime().toFixed(2)} ${idle.toFixed(2)}\n`;
}

function loadavg(c: FileContext): string {
  const pids = c.config.proc.pids();
  return `${os
    .loadavg()
    .map((load) => load.toFixed(2))
    .join(' ')} ${running(c)}/${pids.length} ${pids.at(-1) ?? 0}\n`;
}

const version = (): string => `Linux version ${os.release()} (lift64) ${os.version()}\n`;
const uuid = (): string => `${nodeModules.crypto().randomUUID()}\n`;
let bootId: string | undefined;
const constant =
  (text: string | number): Content =>
  () =>
    `${text}\n`;

/** By path below /proc. */
const FILES: ReadonlyMap<string, Content> = new Map<string, Content>([
  ['cmdline', constant('lift64')],
  ['devices', () => 'Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n'],
  ['diskstats', () => ''],
  ['filesystems', () => 'nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\n\text4\n'],
  ['interrupts', () => '\n'],
  ['loadavg', loadavg],
  ['partitions', () => 'major minor  #blocks  name\n\n'],
  ['stat', stat],
  ['swaps', () => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'],
  ['uptime', uptime],
  ['version', version],
  ['vmstat', () => 'nr_free_pages 0\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\n'],
  ['net/dev', () => DEV_TEXT],
  ['net/if_inet6', () => ''],
  ['net/route', () => 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n'],
  ['net/tcp', () => SOCKETS_TEXT],
  ['net/tcp6', () => SOCKETS_TEXT],
  ['net/udp', () => SOCKETS_TEXT],
  ['net/udp6', () => SOCKETS_TEXT],
  ['net/unix', () => 'Num       RefCount Protocol Flags    Type St Inode Path\n'],
  ['sys/fs/file-max', constant(MAX_FILES)],
  ['sys/fs/nr_open', constant(MAX_FDS)],
  ['sys/fs/pipe-max-size', constant(PIPE_CAPACITY)],
  ['sys/fs/inotify/max_queued_events', constant(INOTIFY_EVENTS)],
  ['sys/fs/inotify/max_user_instances', constant(MAX_INOTIFIES)],
  ['sys/fs/inotify/max_user_watches', constant(MAX_MARKS - 1)],
  ['sys/kernel/cap_last_cap', constant(LAST_CAP)],
  ['sys/kernel/core_pattern', constant('core')],
  ['sys/kernel/domainname', (c) => `${c.config.proc.machineName('domain')}\n`],
  ['sys/kernel/hostname', (c) => `${c.config.proc.machineName('host')}\n`],
  ['sys/kernel/ngroups_max', constant(65536)],
  ['sys/kernel/osrelease', () => `${os.release()}\n`],
  ['sys/kernel/ostype', constant('Linux')],
  ['sys/kernel/overflowgid', constant(65534)],
  ['sys/kernel/overflowuid', constant(65534)],
  ['sys/kernel/pid_max', constant(4194304)],
  ['sys/kernel/random/boot_id', () => (bootId ??= uuid())],
  ['sys/kernel/random/entropy_avail', constant(256)],
  ['sys/kernel/random/uuid', uuid],
  ['sys/kernel/randomize_va_space', constant(0)],
  ['sys/kernel/seccomp/actions_avail', constant('')],
  ['sys/kernel/shmmax', constant('18446744073692774399')],
  ['sys/kernel/threads-max', constant(MAX_TASKS - 1)],
  ['sys/kernel/version', () => `${os.version()}\n`],
  ['sys/kernel/yama/ptrace_scope', constant(0)],
  ['sys/net/core/somaxconn', constant(4096)],
  ['sys/vm/max_map_count', constant(65530)],
  ['sys/vm/mmap_min_addr', constant(GUEST_START)],
  ['sys/vm/overcommit_memory', constant(0)],
  ['sys/vm/overcommit_ratio', constant(50)],
  ['sys/vm/swappiness', constant(60)],
]);

const DEV_TEXT =
  'Inter-|   Receive                                                |  Transmit\n' +
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n' +
  `    lo:${' 0'.repeat(16)}\n`;
const SOCKETS_TEXT =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

/** Undefined: there is no such file. */
export function ofSystem(c: FileContext, parts: readonly string[]): Found {
  const path = parts.join('/');
  const content = FILES.get(path);
  if (content !== undefined) return { type: 'file', mode: 0o444, content: () => content(c) };
  if ([...FILES.keys()].some((name) => name.startsWith(`${path}/`)))
    return { type: 'directory', entries: () => entriesBelow(`${path}/`) };
  return parts.length > 1 && FILES.has(parts[0] ?? '') ? -ENOTDIR : undefined;
}

/** Names of /proc itself. */
export const systemEntries = (): DirectoryEntry[] => entriesBelow('');

function entriesBelow(start: string): DirectoryEntry[] {
  const names = [...FILES.keys()].filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));
  const directories = new Set(
    names.filter((name) => name.includes('/')).map((name) => name.slice(0, name.indexOf('/'))),
  );
  return [
    ...named(
      names.filter((name) => !name.includes('/')),
      DT.REG,
    ),
    ...named(directories, DT.DIR),
  ];
}
