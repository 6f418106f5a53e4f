/**
 * What every guest process and thread is at: for --dump-on-timeout, and two SIGQUITs. In: the kernel, and the memories, on the main thread. Out: lines of text.
 * A thread that sleeps is at an instruction boundary behind its system call, whose number and arguments are in its registers; of one that runs the CPU block says only where it was last seen.
 */
import { hex } from '../base/hex.js';
import { CPU, GPR } from '../guest/cpu-state.js';
import { rowOf } from '../../runtime/linux/table.js';
import type { Group } from '../../runtime/process/group.js';
import type { Kernel } from '../../runtime/process/kernel.js';
import type { Task } from '../../runtime/process/task.js';
import { GuestSymbols } from './guest-symbols.js';
import type { MemoryViews } from './memory-views.js';
import { quietSpace } from './process-memory.js';

const ARG_REGS = [GPR.RDI, GPR.RSI, GPR.RDX, GPR.R10, GPR.R8, GPR.R9];
/** Arguments up to here are shown in decimal. */
const LARGEST_DECIMAL = 0xffffn;
const LOWEST_INT = 4096n;

export interface DumpSource {
  readonly kernel: Kernel;
  /** Tables of an address space; undefined where it has no memory any more. */
  readonly views: (mm: number) => MemoryViews | undefined;
  readonly prefix: string | undefined;
}

export function hangDump(s: DumpSource, why: string): string {
  const lines = [`lift64: ${why}: guest processes and threads`];
  for (const g of s.kernel.allGroups()) {
    if (!g.alive) continue;
    const memory = memoryOf(s, g);
    const state = g.stopped ? ', stopped' : g.exiting ? ', exiting' : '';
    lines.push(`  ${processName(g)}: parent ${parentOf(g)}, group ${g.pgid}, session ${g.sid}${state}`);
    for (const task of g.tasks()) lines.push(`    ${threadLine(task, memory)}`);
  }
  const holder = s.kernel.mutexHolder;
  lines.push(
    holder === undefined ? '  the kernel mutex is free' : `  the kernel mutex is held by worker thread ${holder}`,
  );
  return lines.join('\n') + '\n';
}

const processName = (g: Group): string => `process ${g.tgid} (${g.leader.comm})`;
const parentOf = (g: Group): string => (g.parentIndex === 0 ? 'none' : String(g.parent.tgid));

interface Memory {
  readonly views: MemoryViews;
  readonly symbols: GuestSymbols;
}

/** The memory that the threads of a process share. Its leader may have left it. */
function memoryOf(s: DumpSource, g: Group): Memory | undefined {
  const inside = [...g.tasks()].find((task) => task.cpu !== 0);
  const views = inside === undefined ? undefined : s.views(inside.mm);
  return views === undefined ? undefined : { views, symbols: new GuestSymbols(quietSpace(views), s.prefix) };
}

function threadLine(task: Task, memory: Memory | undefined): string {
  const name = `thread ${task.tid} (${task.comm})`;
  if (memory === undefined || task.cpu === 0) return `${name} has no CPU state: it starts or ends`;
  const { views, symbols } = memory;
  const reg = (r: number): bigint => BigInt.asUintN(64, views.i64[(task.cpu + CPU.REGS) / 8 + r] ?? 0n);
  const pc = Number(BigInt.asUintN(64, views.i64[(task.cpu + CPU.RIP) / 8] ?? 0n));
  const symbol = symbolAt(symbols, pc);
  const place = `0x${hex(pc)}${symbol === '' ? '' : ` ${symbol}`}`;
  if (!task.asleep) return `${name} runs; last seen at ${place}`;
  const seconds = ((Date.now() - task.sleepSince) / 1000).toFixed(1);
  return `${name} has waited for ${seconds} s in ${callOf(reg)}, at ${place}`;
}

/** The system call that the registers ask for. */
function callOf(reg: (r: number) => bigint): string {
  const nr = Number(reg(GPR.RAX));
  const row = rowOf(nr);
  if (row === undefined) return 'no system call';
  const count = row.args === '' ? 0 : row.args.split(',').length;
  const args = ARG_REGS.slice(0, count).map((r) => argument(reg(r)));
  return `${row.name}(${args.join(', ')})`;
}

function argument(v: bigint): string {
  if (v <= LARGEST_DECIMAL) return String(v);
  // An int such as -1 or AT_FDCWD; its upper half is undefined.
  const int = BigInt.asIntN(32, v);
  return int < 0n && int > -LOWEST_INT && (v >> 32n === 0n || v >> 32n === 0xffff_ffffn) ? String(int) : `0x${hex(v)}`;
}

function symbolAt(symbols: GuestSymbols, pc: number): string {
  try {
    return symbols.at(pc);
  } catch {
    // The tables may change under us: a dump without this name is better than none.
    return '';
  }
}
