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
import { CPU, EXC, EXIT, RUN_FLAG } from '../../src/guest/cpu-state.js';
import { CC, FLAG } from '../../src/guest/flags.js';
import { CPU_BASE, PAGE_SHIFT, PERM, PERM_TABLE, WASM_PAGES } from '../../src/guest/memory-map.js';
import { type Core, instantiateCore } from '../../src/engine/core.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { type MemoryViews, memoryViews } from '../../src/engine/memory-views.js';
import type { Tb } from '../../src/ir/types.js';
import { verifyTb } from '../../src/ir/verify.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';
import { InsnState, MEMORY, MEMORY_SIZE } from './insn-state.js';

/** Guest address of the instructions: a page of its own, which nothing reads. */
const CODE = 0x2000_0000;
/** The functions' table slot of every exit. */
const EXIT_SLOT = 1;
const SIGSEGV = 11;
const SIGFPE = 8;
const SIGILL = 4;

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

  /** @param preciseFloat floating point obeys MXCSR (LiftOptions) */
  constructor(private readonly preciseFloat = false) {
    this.memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
    this.views = memoryViews(this.memory);
    CodeCache.initialise(this.views);
    this.cache = new CodeCache(this.views, () => undefined);
    this.core = instantiateCore(new WebAssembly.Module(readFileSync('dist/core.wasm')), this.memory);
    this.core.table.set(EXIT_SLOT, this.core.stub);
    this.allow(PERM.R | PERM.W | PERM.RFAST | PERM.WFAST);
  }

  /** Translates the instructions in `code`; gives their guest address. Checked by the verifier before and after each pass. */
  add(code: Uint8Array, optimised = true): number {
    const pc = this.next;
    this.next += (code.length + 15) & ~15;
    const tb = translate(codeReader(code, pc), pc, { maxInsns: 64, preciseFloat: this.preciseFloat });
    verifyTb(tb);
    const final: Tb = optimised ? optimise(tb, PASSES, verifyTb) : tb;
    this.tbs.set(pc, final);
    const header = encodeTb(final, this.views.view, (bytes) => this.cache.allocate(bytes), HEAT_OFF);
    this.cache.insert(header, pc, tb.size);
    return pc;
  }

  /** Compiles what was added at `pcs` into one module: run() executes the regions from then on. */
  compile(pcs: readonly number[]): void {
    const regions = pcs.map((pc): Region => ({ head: pc, tbs: new Map([[pc, this.tb(pc)]]) }));
    // Exits go to slots; none is ever installed, so that the stub gives control back.
    // Checks of several accesses at once leave what fails to the interpreter, which has no TB there.
    const { bytes } = compileModule(regions, () => EXIT_SLOT, { plainGuards: true });
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

  /** Sets the permissions of the memory's page (PERM). */
  allow(permissions: number): void {
    this.views.u8[PERM_TABLE + (MEMORY >>> PAGE_SHIFT)] = permissions;
  }

  /** Guest pc where the last run ended. */
  get rip(): number {
    return Number(this.views.i64[(CPU_BASE + CPU.RIP) / 8] ?? 0n);
  }

  /** Runs the instructions at `pc`. A signal in the result means that one was not done; the rest is the state then. */
  run(pc: number, before: InsnState): InsnState {
    this.load(before, pc);
    const region = this.regions.get(pc);
    const reason = region === undefined ? this.core.run(CPU_BASE) : region(CPU_BASE);
    const after = before.copy();
    after.signal = this.signalOf(reason);
    this.store(after);
    return after;
  }

  private load(s: InsnState, pc: number): void {
    const { i64, i32, u8, view } = this.views;
    for (let n = 0; n < 16; n++) {
      i64[(CPU_BASE + CPU.REGS) / 8 + n] = s.gpr(n);
      const xmm = s.xmm(n);
      i64[(CPU_BASE + CPU.XMM) / 8 + 2 * n] = xmm;
      i64[(CPU_BASE + CPU.XMM) / 8 + 2 * n + 1] = xmm >> 64n;
      const ymmh = s.ymmh(n);
      i64[(CPU_BASE + CPU.YMMH) / 8 + 2 * n] = ymmh;
      i64[(CPU_BASE + CPU.YMMH) / 8 + 2 * n + 1] = ymmh >> 64n;
    }
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
    const unsigned = (at: number): bigint => BigInt.asUintN(64, i64[at] ?? 0n);
    for (let n = 0; n < 16; n++) {
      s.setGpr(n, unsigned((CPU_BASE + CPU.REGS) / 8 + n));
      const at = (CPU_BASE + CPU.XMM) / 8 + 2 * n;
      s.setXmm(n, unsigned(at) | (unsigned(at + 1) << 64n));
      const upper = (CPU_BASE + CPU.YMMH) / 8 + 2 * n;
      s.setYmmh(n, unsigned(upper) | (unsigned(upper + 1) << 64n));
    }
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
      s.setMm(n, unsigned((CPU_BASE + CPU.ST) / 8 + 2 * n));
      s.setExponent(n, view.getUint16(CPU_BASE + CPU.ST + 16 * n + 8, true));
    }
    s.memory.set(u8.subarray(MEMORY, MEMORY + MEMORY_SIZE));
  }

  /** The signal that Linux sends for an exit. */
  private signalOf(reason: number): number {
    const argument = Number(this.views.i64[(CPU_BASE + CPU.EXIT_ARG0) / 8] ?? 0n) & 0xff;
    switch (reason) {
      case EXIT.STEP:
      case EXIT.NONE:
      case EXIT.FLOAT_CONTROL:
        return 0;
      case EXIT.PAGE_FAULT:
        return SIGSEGV;
      case EXIT.EXCEPTION:
        if (argument === EXC.GP) return SIGSEGV;
        if (argument === EXC.DE || argument === EXC.MF || argument === EXC.XM) return SIGFPE;
        if (argument === EXC.UD) return SIGILL;
    }
    throw new Error(`unexpected exit ${reason} (${argument})`);
  }
}
