/**
 * The core alone: TBs in a code cache, the dispatcher, CPU state. In: TBs built by IrBuilder. Out: exits and state; the opcodes that a TB became. Needs dist/core.wasm.
 */
import { readFileSync } from 'node:fs';
import { encodeTb, type TbCode, writeTb } from '../../backend-wasm/bytecode/encode.js';
import { type Opcode, opcodes, opcodeSize, WAY_LINK, WAY_SIZE } from '../../backend-wasm/bytecode/opcodes.js';
import { setPerms } from '../../runtime/memory/perms.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { type Core, instantiateCore } from '../../src/engine/core.js';
import { type MemoryViews, memoryViews } from '../../src/engine/memory-views.js';
import { CPU, EXIT } from '../../src/guest/cpu-state.js';
import {
  CPU_BASE,
  GUEST_END,
  PAGE_SHIFT,
  PAGE_TBS,
  TB_HASH,
  TB_HASH_BITS,
  WASM_PAGES,
} from '../../src/guest/memory-map.js';
import { HEAT_OFF, pcHash, TB } from '../../src/guest/tb-header.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { GLOBALS, globalId } from '../../src/ir/globals.js';
import type { Tb, Temp } from '../../src/ir/types.js';
import { verifyTb } from '../../src/ir/verify.js';

/** Reason and place of the exits that the tests' TBs end with. */
export const DONE = EXIT.SYSCALL;

/** A Wasm module that exports its import e.f, of the type of a region's function, (i32, i32) -> i64, so that a JS function can stand in a table. */
const TRAMPOLINE = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7e, 2, 7, 1, 1, 0x65, 1, 0x66, 0, 0, 7, 5, 1, 1,
  0x66, 0, 0,
]);

/** One instruction of one byte at `pc`: what `body` emits, then DONE. */
export function singleTb(pc: number, body: (b: IrBuilder) => void, ccOp = -1): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, ccOp);
  body(b);
  b.emit('exit', [], [DONE, 0, pc + 1]);
  return b.finish(1);
}

export class CoreMachine {
  readonly module = new WebAssembly.Module(readFileSync('dist/core.wasm'));
  readonly memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
  readonly views: MemoryViews = memoryViews(this.memory);
  readonly core: Core = instantiateCore(this.module, this.memory);
  readonly cache: CodeCache;
  readonly cpu = CPU_BASE;
  /** pcs of the TBs in the hash table. */
  private readonly added: number[] = [];

  constructor() {
    CodeCache.initialise(this.views);
    this.cache = new CodeCache(this.views, () => undefined);
    this.setI32(CPU.FUEL, -1);
    this.setI32(CPU.TABLE_SIZE, this.core.table.length);
  }

  /** Encodes `tb`, one dispatch an op, and enters it into the hash table; gives its header. */
  add(tb: Tb, heat = HEAT_OFF): number {
    verifyTb(tb);
    const header = encodeTb(tb, this.views.i32, (bytes) => this.cache.allocate(bytes), heat);
    this.enter(header, tb.pc, tb.size);
    this.separate(header);
    return header;
  }

  /** Writes bytecode, as it is with joined ops, and enters it into the hash table; gives its header. */
  addCode(code: TbCode): number {
    const header = writeTb(code, this.views.i32, (bytes) => this.cache.allocate(bytes), HEAT_OFF);
    this.enter(header, code.pc, code.size);
    return header;
  }

  private enter(header: number, pc: number, size: number): void {
    this.cache.insert(header, pc, size);
    this.added.push(pc);
  }

  /** Undoes what join.ts has done. */
  separate(header: number): void {
    for (const { at, o } of this.disassemble(header))
      if (o.joined?.[0] !== undefined) this.views.view.setUint16(at, o.joined[0].code, true);
  }

  /** Drops all TBs, and what the jump cache knows of them. Quicker than a flush of the cache, which looks at all pages. */
  clear(): void {
    for (const pc of this.added.splice(0)) {
      this.setWord(TB_HASH + 4 * pcHash(pc, TB_HASH_BITS), 0);
      if (pc < GUEST_END) for (const page of [0, 1]) this.setWord(PAGE_TBS + 4 * ((pc >>> PAGE_SHIFT) + page), 0);
    }
    CodeCache.initialise(this.views);
    this.views.u8.fill(0, this.cpu + CPU.JUMP_CACHE, this.cpu + CPU.JUMP_CACHE + 0x8000);
  }

  /** Runs from `pc` on; gives the exit reason. */
  run(pc: number | bigint = this.get('rip')): number {
    this.set('rip', BigInt(pc));
    return this.core.run(this.cpu);
  }

  /** Encodes and runs one TB alone. */
  runTb(tb: Tb): number {
    this.clear();
    this.add(tb);
    return this.run(tb.pc);
  }

  /** Keys of the opcodes of the TB at `header`, in order. */
  keys(header: number): string[] {
    return this.disassemble(header).map(({ o }) => o.key);
  }

  /** Addresses of the link cells of the TB at `header`, in order: of a conditional jump the one not taken first. */
  links(header: number): number[] {
    return this.disassemble(header).flatMap(({ at, o }) => {
      const ways = o.op.name === 'goto_tb' ? 1 : o.fusion === 'jump' ? 2 : 0;
      return Array.from({ length: ways }, (_, i) => at + opcodeSize(o) - WAY_SIZE * (ways - i) + WAY_LINK);
    });
  }

  private disassemble(header: number): { readonly at: number; readonly o: Opcode }[] {
    const list: { at: number; o: Opcode }[] = [];
    const end = this.word(header + TB.INSN_TABLE);
    for (let at = header + TB.CODE; at < end;) {
      const o = opcodes()[this.views.view.getUint16(at, true)];
      if (o === undefined) throw new Error(`no opcode at ${at - header - TB.CODE}`);
      list.push({ at, o });
      at += opcodeSize(o);
    }
    return list;
  }

  /** Puts `f`, which gets the CPU block's address and gives 0, to go on at rip, or an exit reason, into a table slot. */
  setSlot(slot: number, f: (cpu: number) => number): void {
    const region = (cpu: number): bigint => {
      const reason = f(cpu);
      return reason === 0 ? this.get('rip') : BigInt(-reason);
    };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(TRAMPOLINE), { e: { f: region } });
    this.core.table.set(slot, exports['f']);
  }

  /** Permissions (PERM) of the page at `addr`, derived bits included. */
  allow(addr: number, perm: number): void {
    setPerms(this.views.u8, addr >>> PAGE_SHIFT, (addr >>> PAGE_SHIFT) + 1, perm);
  }

  /** Value of a global, unsigned. */
  get(name: string): bigint {
    const g = GLOBALS[globalId(name)] as Temp;
    const at = this.cpu + (g.offset ?? 0);
    const { view } = this.views;
    if (g.type === 'i32') return BigInt(view.getUint32(at, true));
    const low = view.getBigUint64(at, true);
    return g.type === 'v128' ? low | (view.getBigUint64(at + 8, true) << 64n) : low;
  }

  set(name: string, value: bigint): void {
    const g = GLOBALS[globalId(name)] as Temp;
    const at = this.cpu + (g.offset ?? 0);
    const { view } = this.views;
    if (g.type === 'i32') view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    else view.setBigUint64(at, BigInt.asUintN(64, value), true);
    if (g.type === 'v128') view.setBigUint64(at + 8, value >> 64n, true);
  }

  /** Word at an address, unsigned. */
  word(at: number): number {
    return this.views.view.getUint32(at, true);
  }

  setWord(at: number, value: number): void {
    this.views.view.setUint32(at, value, true);
  }

  /** CPU state by offset (CPU). */
  i32(offset: number): number {
    return this.views.i32[(this.cpu + offset) / 4] ?? 0;
  }

  setI32(offset: number, value: number): void {
    this.views.i32[(this.cpu + offset) / 4] = value;
  }

  i64(offset: number): bigint {
    return BigInt.asUintN(64, this.views.i64[(this.cpu + offset) / 8] ?? 0n);
  }

  setI64(offset: number, value: bigint): void {
    this.views.i64[(this.cpu + offset) / 8] = BigInt.asIntN(64, value);
  }

  /** Arguments of the last exit. */
  get exitArgs(): readonly [bigint, bigint] {
    return [this.i64(CPU.EXIT_ARG0), this.i64(CPU.EXIT_ARG1)];
  }
}
