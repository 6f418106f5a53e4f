/**
 * Memories as the beginning and end of processes need them: a program loaded into an empty one, the copy for fork, and one emptied for the next process. In: memories. Out: CPU blocks
 * ready to run, or negative errnos.
 */
import { ProgramError } from '../base/errors.js';
import { CONTROL, CPU, GPR, MXCSR_START } from '../guest/cpu-state.js';
import { GUEST_END, PAGE_SHIFT, PCB, PCB_BASE } from '../guest/memory-map.js';
import { HEAT_OFF, TB, TB_FLAG } from '../guest/tb-header.js';
import { parseElf } from '../../frontend/elf/elf.js';
import { EAGAIN, ENOEXEC } from '../../runtime/linux/errno.js';
import { AddressSpace } from '../../runtime/memory/address-space.js';
import { copySpace, emptySpace } from '../../runtime/memory/fork-space.js';
import { setCode } from '../../runtime/memory/perms.js';
import { type ImageFile, type ImageOptions, loadImage } from '../../runtime/process/exec-image.js';
import type { ExecLayout } from '../../runtime/process/mm.js';
import { allocCpu, forkCpu } from '../../runtime/threads/cpu-slots.js';
import { CodeCache } from './code-cache.js';
import { hwcap, hwcap2 } from './cpuid-leaves.js';
import { isCounted } from './heat.js';
import { hostElf } from './host-elf.js';
import { eachTb, type MemoryViews, memoryViews } from './memory-views.js';
import { withMutex } from './mutex.js';
import type { EngineOptions } from './options.js';

/** x87 control word as Linux starts programs: all exceptions masked, 64-bit precision, round to nearest. */
const FPCW_START = 0x37f;
const FPTAG_EMPTY = 0xff;

export interface StartedImage {
  /** CPU block of the first thread. */
  readonly cpu: number;
  readonly layout: ExecLayout;
}

const TRANSLATE_LOCK = (PCB_BASE + PCB.TRANSLATE_LOCK) / 4;
const HOT_THRESHOLD = (PCB_BASE + PCB.HOT_THRESHOLD) / 4;

/** An address space that no thread runs in. */
export function quietSpace(views: MemoryViews): AddressSpace {
  return new AddressSpace(views.u8.buffer, { stopWorld: (fn) => fn(), invalidate: invalidateIn(views) });
}

/** What kills translated code in a memory, whose world the caller has stopped. */
export function invalidateIn(views: MemoryViews): (addr: number, size: number) => void {
  const cache = new CodeCache(views, (page, on) => {
    setCode(views.u8, page, on);
  });
  return (addr, size) => {
    const last = Math.min(addr + size, GUEST_END) - 1;
    withMutex(views.i32, TRANSLATE_LOCK, () => {
      for (let page = addr >>> PAGE_SHIFT; page <= last >>> PAGE_SHIFT; page++)
        if (cache.hasCode(page)) cache.invalidatePage(page);
    });
  };
}

/** Puts a program into an empty memory. Negative errnos are loadImage's. */
export function startImage(
  memory: WebAssembly.Memory,
  engine: EngineOptions,
  o: Omit<ImageOptions, 'hwcap' | 'hwcap2'>,
): StartedImage | number {
  const views = memoryViews(memory);
  CodeCache.initialise(views);
  views.i32[HOT_THRESHOLD] = engine.tier === 'auto' ? engine.hotThreshold : HEAT_OFF;
  const image = loadImage(quietSpace(views), views.u8, {
    ...o,
    hwcap: hwcap(engine.cpuModel),
    hwcap2: hwcap2(engine.cpuModel),
  });
  if (typeof image === 'number') return image;
  const cpu = allocCpu(views.i32);
  if (cpu === 0) return -EAGAIN;
  views.i64[(cpu + CPU.RIP) / 8] = BigInt(image.entry);
  views.i64[(cpu + CPU.REGS) / 8 + GPR.RSP] = BigInt(image.sp);
  views.i32[(cpu + CPU.DF) / 4] = 1;
  views.i32[(cpu + CPU.FPCW) / 4] = FPCW_START;
  views.i32[(cpu + CPU.FPTAG) / 4] = FPTAG_EMPTY;
  views.i32[(cpu + CPU.MXCSR) / 4] = MXCSR_START;
  return { cpu, layout: image.layout };
}

/** What of a program's file the image needs, and the interpreter that it names; -ENOEXEC for what is no x86-64 program. */
export function parseProgram(
  hostFd: number,
  path: string,
): { readonly image: ImageFile; readonly interpreter: string | undefined } | number {
  try {
    const file = hostElf(hostFd);
    const elf = parseElf(file, path);
    return { image: { ...elf, hostFd, path, size: file.size }, interpreter: elf.interpreter };
  } catch (e) {
    if (e instanceof ProgramError) return -ENOEXEC;
    throw e;
  }
}

/** @param enter makes the copy's address space a process's own. Gives the CPU block of the child's only thread in the empty memory `child`, once all of the parent's memory is there; 0: none. The world of the parent is stopped. */
export function forkMemory(
  parent: MemoryViews,
  space: AddressSpace,
  cpu: number,
  child: WebAssembly.Memory,
  enter: (child: AddressSpace) => void,
): number {
  const views = memoryViews(child);
  withMutex(parent.i32, TRANSLATE_LOCK, () => {
    space.beforeCopy(() => {
      // First, so that a module that has seen the old count has bound its slots before the copy.
      Atomics.add(parent.i32, (PCB_BASE + PCB.COPIES) / 4, 1);
      copySpace(parent.u8, views.u8);
    });
  });
  enter(quietSpace(views));
  coolCode(views);
  const control = PCB_BASE / 4;
  views.i32[control + PCB.COPIED / 4] = 1;
  views.i32[control + PCB.THREADS_BEGUN / 4] = 0;
  views.i32[control + PCB.THREADS_LEFT / 4] = 0;
  const block = forkCpu(parent.i32, cpu, views.i32);
  // The first poll installs the parent's modules.
  if (block !== 0) Atomics.or(views.i32, (block + CPU.CONTROL) / 4, CONTROL.CODE);
  return block;
}

/** TBs whose regions the parent has, or has asked for, are interpreted in the child until they are hot again, or its modules come. */
function coolCode(views: MemoryViews): void {
  const { i32 } = views;
  const threshold = i32[HOT_THRESHOLD] ?? HEAT_OFF;
  eachTb(views, (header) => {
    const flags = i32[(header + TB.FLAGS) / 4] ?? 0;
    const asked = (flags & TB_FLAG.ASKED) !== 0 || !isCounted(views, header);
    i32[(header + TB.SLOT) / 4] = 0;
    i32[(header + TB.FLAGS) / 4] = flags & ~TB_FLAG.ASKED;
    if (asked) i32[(header + TB.HEAT) / 4] = threshold;
  });
}

/** The memory has no user any more: shared file mappings are written back, descriptors closed. @param space its address space, where it has been a process's */
export function emptyMemory(memory: WebAssembly.Memory, space?: AddressSpace): void {
  const views = memoryViews(memory);
  const own = space ?? quietSpace(views);
  // Other processes look into it with the lock of sharing held.
  own.settled(() => {
    own.closeFiles();
    withMutex(views.i32, TRANSLATE_LOCK, () => {
      emptySpace(views.u8);
    });
  });
}
