/**
 * Runs guest instructions, one TB, through decode, lift, optimise, encode and the interpreter, or the compiler. In: machine code and an InsnState. Out: the state after it.
 * Needs dist/core.wasm.
 */
import { HEAT_OFF } from '../../src/guest/tb-header.js';
import { readFileSync } from 'node:fs';
import { type CodeReader, decode, isInsn } from '../../frontend/x86-64/decoder.js';
import type { Insn } from '../../frontend/x86-64/insn.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { regionFunction } from './ir-machine.js';
import type { Region } from '../../backend-wasm/compiler/region.js';
import { exceptionSignal, type FaultSignal, fpeCode, pageFaultSignal } from '../../src/engine/faults.js';
import { setPerms } from '../../runtime/memory/perms.js';
import { CPU, EXC, EXIT, PF, RUN_FLAG } from '../../src/guest/cpu-state.js';
import { CC, FLAG } from '../../src/guest/flags.js';
import { CPU_BASE, PAGE_SHIFT, PERM, WASM_PAGES } from '../../src/guest/memory-map.js';
import { type Core, instantiateCore } from '../../src/engine/core.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { type MemoryViews, memoryViews } from '../../src/engine/memory-views.js';
import { allowRelaxedSimd } from '../../src/engine/v8-flags.js';
import type { Tb } from '../../src/ir/types.js';
import { verifyTb } from '../../src/ir/verify.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';
import { InsnState, LAYOUT, MEMORY, MEMORY_SIZE } from './insn-state.js';

/** Guest address of the instructions: a page of its own, which nothing reads. */
const CODE = 0x2000_0000;
/** The functions' table slot of every exit. */
const EXIT_SLOT = 1;
const READ_WRITE = PERM.R | PERM.W;

allowRelaxedSimd();

/** Reads the bytes of `code` at `addr` and nothing else. */
export function codeReader(code: Uint8Array, addr: number): CodeReader {
  return { bytes: code, base: addr, readable: (at) => addr + code.length - at };
}

/** The first instruction of `code`. Throws when there is none. */
export function decodeOne(code: Uint8Array, addr = CODE): Insn {
  const insn = decode(codeReader(code, addr), addr);
  if (!isInsn(insn)) throw new Error(`${Buffer.from(code).toString('hex')}: ${insn.kind}`);
  return insn;
}

export class InsnMachine {
  private readonly memory: WebAssembly.Memory;
  private readonly views: MemoryViews;
  private readonly core: Core;
  private readonly cache: CodeCache;
  private next = CODE;
  /** Regions by guest address. */
  private readonly regions = new Map<number, (cpu: number) => number>();
  private readonly tbs = new Map<number, Tb>();
  private readonly codes = new Map<number, Uint8Array>();

  /** @param preciseFloat floating point obeys MXCSR (LiftOptions) */
  constructor(private readonly preciseFloat = false) {
    this.memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
    this.views = memoryViews(this.memory);
    CodeCache.initialise(this.views);
    this.cache = new CodeCache(this.views, () => undefined);
    this.core = instantiateCore(new WebAssembly.Module(readFileSync('dist/core.wasm')), this.memory);
    this.core.table.set(EXIT_SLOT, this.core.stub);
    this.allow(READ_WRITE);
  }

  /** Translates the instructions in `code`; gives their guest address. Checked by the verifier before and after each pass. */
  add(code: Uint8Array, optimised = true): number {
    const pc = this.next;
    this.next += (code.length + 15) & ~15;
    const tb = this.lift(pc, codeReader(code, pc), optimised);
    this.tbs.set(pc, tb);
    this.codes.set(pc, code);
    this.encode(pc, tb);
    return pc;
  }

  private lift(pc: number, reader: CodeReader, optimised: boolean): Tb {
    const tb = translate(reader, pc, { maxInsns: 64, preciseFloat: this.preciseFloat });
    verifyTb(tb);
    return optimised ? optimise(tb, PASSES, verifyTb) : tb;
  }

  private encode(pc: number, tb: Tb): void {
    const header = encodeTb(tb, this.views.i32, (bytes) => this.cache.allocate(bytes), HEAT_OFF);
    this.cache.insert(header, pc, tb.size);
  }

  /**
   * Compiles what was added at `pcs` into one module: run() executes the regions from then on.
   * @param plainGuards a check for each access; without, accesses share checks, and the interpreter does what fails one
   */
  compile(pcs: readonly number[], plainGuards = true): void {
    const regions = pcs.map((pc): Region => ({ head: pc, tbs: new Map([[pc, this.tb(pc)]]) }));
    // Exits go to slots; none is ever installed, so that the stub gives control back.
    const { bytes } = compileModule(regions, () => EXIT_SLOT, { plainGuards });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: { memory: this.memory, table: this.core.table },
      core: this.core.exports,
    });
    pcs.forEach((pc, i) => {
      const run = regionFunction(instance.exports[`r${i}`], (rip) => {
        this.views.i64[(CPU_BASE + CPU.RIP) / 8] = rip;
      });
      this.regions.set(pc, run);
    });
  }

  private tb(pc: number): Tb {
    const tb = this.tbs.get(pc);
    if (tb === undefined) throw new Error(`nothing was added at ${pc}`);
    return tb;
  }

  /** Sets the permissions (R and W of PERM) of the memory's pages, of the second one apart if it is told. */
  allow(permissions: number, second = permissions): void {
    const page = MEMORY >>> PAGE_SHIFT;
    setPerms(this.views.u8, page, page + 1, permissions);
    setPerms(this.views.u8, page + 1, page + 2, second);
  }

  /** Guest pc where the last run ended. */
  get rip(): number {
    return Number(this.views.i64[(CPU_BASE + CPU.RIP) / 8] ?? 0n);
  }

  /** Runs the instructions at `pc`. A signal in the result means that one was not done; the rest is the state then. */
  run(pc: number, before: InsnState): InsnState {
    this.load(before, pc);
    if (before.closed) this.allow(READ_WRITE, 0);
    const region = this.regions.get(pc);
    let reason = region === undefined ? this.core.run(CPU_BASE) : region(CPU_BASE);
    if (reason === EXIT.CLOSE_LOOK) reason = this.closeLook();
    if (before.closed) this.allow(READ_WRITE);
    const after = before.copy();
    this.store(after);
    const fault = this.faultOf(reason, after);
    // An address within the instructions is told from their start.
    if (fault !== undefined)
      after.setSignal(
        fault.signal,
        fault.code,
        fault.address === BigInt(this.rip) ? fault.address - BigInt(pc) : fault.address,
      );
    return after;
  }

  /** A check of several accesses failed: the instruction at rip is interpreted, and what follows it. */
  private closeLook(): number {
    const at = this.rip;
    for (const [pc, tb] of this.tbs) {
      if (at < pc || at >= pc + tb.size) continue;
      if (at !== pc) {
        const code = this.codes.get(pc) ?? new Uint8Array();
        this.encode(at, this.lift(at, codeReader(code, pc), true));
      }
      this.views.i32[(CPU_BASE + CPU.EXIT_REASON) / 4] = 0;
      return this.core.run(CPU_BASE);
    }
    throw new Error(`nothing was added at ${at}`);
  }

  private load(s: InsnState, pc: number): void {
    const { i64, i32, u8, view } = this.views;
    u8.set(s.bytes.subarray(LAYOUT.GPR, LAYOUT.GPR + 128), CPU_BASE + CPU.REGS);
    u8.set(s.bytes.subarray(LAYOUT.XMM, LAYOUT.XMM + 256), CPU_BASE + CPU.XMM);
    u8.set(s.bytes.subarray(LAYOUT.YMMH, LAYOUT.YMMH + 256), CPU_BASE + CPU.YMMH);
    i64[(CPU_BASE + CPU.RIP) / 8] = BigInt(pc);
    i64[(CPU_BASE + CPU.CC_SRC) / 8] = BigInt(s.rflags & FLAG.ARITH);
    i32[(CPU_BASE + CPU.CC_OP) / 4] = CC.EFLAGS;
    i32[(CPU_BASE + CPU.DF) / 4] = (s.rflags & FLAG.DF) === 0 ? 1 : -1;
    i32[(CPU_BASE + CPU.MXCSR) / 4] = s.mxcsr;
    i32[(CPU_BASE + CPU.FPCW) / 4] = s.fcw;
    i32[(CPU_BASE + CPU.FPSW) / 4] = s.fsw;
    i32[(CPU_BASE + CPU.FPTOP) / 4] = s.top;
    i32[(CPU_BASE + CPU.FPTAG) / 4] = s.empty;
    for (let n = 0; n < 8; n++) {
      i64[(CPU_BASE + CPU.ST) / 8 + 2 * n] = s.mm(n);
      view.setUint16(CPU_BASE + CPU.ST + 16 * n + 8, s.exponent(n), true);
    }
    i32[(CPU_BASE + CPU.EXIT_REASON) / 4] = 0;
    i32[(CPU_BASE + CPU.RUN_FLAGS) / 4] = RUN_FLAG.NO_CHAIN | RUN_FLAG.INTERP_ONLY;
    i32[(CPU_BASE + CPU.FUEL) / 4] = -1;
    u8.set(s.memory, MEMORY);
  }

  private store(s: InsnState): void {
    const { i64, i32, u8, view } = this.views;
    const copy = (to: number, from: number, size: number): void => {
      s.bytes.set(u8.subarray(from, from + size), to);
    };
    copy(LAYOUT.GPR, CPU_BASE + CPU.REGS, 128);
    copy(LAYOUT.XMM, CPU_BASE + CPU.XMM, 256);
    copy(LAYOUT.YMMH, CPU_BASE + CPU.YMMH, 256);
    const cc = (offset: number): bigint => i64[(CPU_BASE + offset) / 8] ?? 0n;
    const flags = this.core.flagsOf(
      i32[(CPU_BASE + CPU.CC_OP) / 4] ?? 0,
      cc(CPU.CC_DST),
      cc(CPU.CC_SRC),
      cc(CPU.CC_SRC2),
    );
    s.rflags = (s.rflags & ~(FLAG.ARITH | FLAG.DF)) | Number(flags);
    if ((i32[(CPU_BASE + CPU.DF) / 4] ?? 0) < 0) s.rflags |= FLAG.DF;
    s.mxcsr = i32[(CPU_BASE + CPU.MXCSR) / 4] ?? 0;
    s.fcw = i32[(CPU_BASE + CPU.FPCW) / 4] ?? 0;
    s.top = i32[(CPU_BASE + CPU.FPTOP) / 4] ?? 0;
    s.fsw = i32[(CPU_BASE + CPU.FPSW) / 4] ?? 0;
    s.empty = i32[(CPU_BASE + CPU.FPTAG) / 4] ?? 0;
    for (let n = 0; n < 8; n++) {
      s.setMm(n, i64[(CPU_BASE + CPU.ST) / 8 + 2 * n] ?? 0n);
      s.setExponent(n, view.getUint16(CPU_BASE + CPU.ST + 16 * n + 8, true));
    }
    copy(LAYOUT.MEMORY, MEMORY, MEMORY_SIZE);
  }

  /** The signal that Linux sends for an exit; undefined when there is none. */
  private faultOf(reason: number, after: InsnState): FaultSignal | undefined {
    const argument = BigInt.asUintN(64, this.views.i64[(CPU_BASE + CPU.EXIT_ARG0) / 8] ?? 0n);
    const error = Number(this.views.i64[(CPU_BASE + CPU.EXIT_ARG1) / 8] ?? 0n);
    switch (reason) {
      case EXIT.STEP:
      case EXIT.NONE:
      case EXIT.FLOAT_CONTROL:
        return undefined;
      case EXIT.PAGE_FAULT:
        // The pages are there, but closed.
        return pageFaultSignal(argument, error | PF.PRESENT, 'accerr');
      case EXIT.EXCEPTION: {
        const vector = Number(argument) & 0xff;
        const raised = vector === EXC.MF ? after.fsw & ~after.fcw : after.mxcsr & ~(after.mxcsr >> 7);
        return exceptionSignal(vector, Number(argument) >>> 8, BigInt(this.rip), fpeCode(raised & 0x3f));
      }
      default:
        throw new Error(`unexpected exit ${reason} (${argument})`);
    }
  }
}
