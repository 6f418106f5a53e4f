/**
 * The report of a guest that dies by a signal without a handler. In: its registers. Out: lines for stderr. Source: DESIGN.md section 8.
 */
import { hex } from '../base/hex.js';
import { GPR_NAMES } from '../guest/cpu-state.js';
import type { CpuView } from '../../runtime/linux/thread.js';

/** Registers as QEMU's -d cpu prints them: four to a line. */
export function registerLines(cpu: CpuView, symbol: (pc: number) => string): string[] {
  const cells = GPR_NAMES.map((name, n) => `${name.toUpperCase().padEnd(3)}=${hex(cpu.reg(n), 16)}`);
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += 4) lines.push(cells.slice(i, i + 4).join(' '));
  const name = symbol(Number(cpu.rip));
  lines.push(
    `RIP=${hex(cpu.rip, 16)} RFL=${hex(cpu.eflags, 8)} FSB=${hex(cpu.fsBase, 16)}${name === '' ? '' : ` <${name}>`}`,
  );
  return lines;
}

/** The whole report. `blocks`: the last TBs that were run, oldest first. `cause`: what there is to say of the instruction. */
export function crashReport(
  signal: number,
  words: string,
  cpu: CpuView,
  symbol: (pc: number) => string,
  blocks: readonly number[],
  cause?: string,
): string {
  const lines = [
    `lift64: uncaught target signal ${signal} (${words})`,
    ...(cause === undefined ? [] : [`  ${cause}`]),
    ...registerLines(cpu, symbol).map((l) => `  ${l}`),
  ];
  if (blocks.length > 0) {
    lines.push('  last blocks:');
    for (const pc of blocks) {
      const name = symbol(pc);
      lines.push(`    0x${hex(pc, 16)}${name === '' ? '' : ` ${name}`}`);
    }
  }
  return lines.join('\n') + '\n';
}
