/**
 * /proc/cpuinfo and /proc/meminfo of the machine that the guest sees. In: MachineInfo. Out: text. Source: man 5 proc.
 */
import type { MachineInfo } from './file-context.js';

const MHZ = '2000.000';

export function cpuInfo(m: MachineInfo): string {
  let text = '';
  for (let cpu = 0; cpu < m.cpus; cpu++) {
    const fields: readonly (readonly [string, string | number])[] = [
      ['processor\t', cpu],
      ['vendor_id\t', m.vendor],
      ['cpu family\t', m.family],
      ['model\t\t', m.model],
      ['model name\t', m.modelName],
      ['stepping\t', m.stepping],
      ['microcode\t', '0x1'],
      ['cpu MHz\t\t', MHZ],
      ['cache size\t', `${m.cacheKib} KB`],
      ['physical id\t', 0],
      ['siblings\t', m.cpus],
      ['core id\t\t', cpu],
      ['cpu cores\t', m.cpus],
      ['apicid\t\t', cpu],
      ['initial apicid\t', cpu],
      ['fpu\t\t', 'yes'],
      ['fpu_exception\t', 'yes'],
      ['cpuid level\t', m.cpuidLevel],
      ['wp\t\t', 'yes'],
      ['flags\t\t', m.flags.join(' ')],
      ['bugs\t\t', ''],
      ['bogomips\t', '4000.00'],
      ['clflush size\t', 64],
      ['cache_alignment\t', 64],
      ['address sizes\t', `${m.physicalBits} bits physical, ${m.virtualBits} bits virtual`],
      ['power management', ''],
    ];
    for (const [name, value] of fields) text += `${name}:${value === '' ? '' : ` ${String(value)}`}\n`;
    text += '\n';
  }
  return text;
}

export function memInfo(m: MachineInfo): string {
  const kib = (bytes: number): number => Math.floor(bytes / 1024);
  const free = kib(m.memoryFree());
  const total = kib(m.memoryTotal);
  const fields: readonly (readonly [string, number])[] = [
    ['MemTotal', total],
    ['MemFree', free],
    ['MemAvailable', free],
    ['Buffers', 0],
    ['Cached', 0],
    ['SwapCached', 0],
    ['Active', total - free],
    ['Inactive', 0],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Dirty', 0],
    ['Writeback', 0],
    ['AnonPages', total - free],
    ['Mapped', 0],
    ['Shmem', 0],
    ['Slab', 0],
    ['PageTables', 0],
    ['CommitLimit', total],
    ['Committed_AS', total - free],
  ];
  return fields.map(([name, value]) => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`).join('');
}
