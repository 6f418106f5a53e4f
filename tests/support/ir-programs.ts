/**
 * Random IR programs: several TBs with loops, diamonds, side exits and helper calls. In: a seed. Out: TBs that end within a bounded number of steps. The graph of TBs is any graph,
 * irreducible ones too. Values move through globals, ebb and tb temps; memory accesses reach a small buffer and beyond its ends.
 */
import type { TempId } from '../../src/base/ids.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G } from '../../src/ir/globals.js';
import { CONDS, type Tb, type Type } from '../../src/ir/types.js';

/** Guest pcs of the TBs: a step apart. */
export const PROGRAM_PC = 0x40_0000;
const PC_STEP = 0x40;
/** A page that reads and writes reach, with one behind it that is only read. */
export const BUFFER = 0x60_0000;
/** Steps that a program may take: one a TB entered. */
export const PROGRAM_FUEL = 60n;
const FUEL = G.reg(15);
const BASE = G.reg(5);
/** Globals that the programs compute with. */
const WORK = [0, 1, 2, 3, 6, 7, 8].map((n) => G.reg(n));

/** mulberry32: integers below `below`. */
export function generator(seed: number): (below: number) => number {
  let a = seed >>> 0;
  return (below) => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

export function randomProgram(seed: number): Tb[] {
  const random = generator(seed);
  const count = 1 + random(6);
  return Array.from({ length: count }, (_, i) => new TbMaker(random, i, count).make());
}

class TbMaker {
  private readonly b: IrBuilder;
  /** Values that can be read here, and whether they are freed at the next label. */
  private live: { readonly id: TempId; readonly type: Type }[] = [];
  private readonly tbTemps: TempId[] = [];
  private pc: number;

  constructor(
    private readonly random: (below: number) => number,
    private readonly index: number,
    private readonly count: number,
  ) {
    this.pc = PROGRAM_PC + PC_STEP * index;
    this.b = new IrBuilder(this.pc);
  }

  make(): Tb {
    const { b } = this;
    this.insn();
    // Some programs leave by themselves, all do when the fuel is used up.
    const out = b.label();
    b.emit('sub_i64', [FUEL, FUEL, b.i64(1)]);
    b.emit('brcond_i64', [FUEL, b.i64(0)], ['lt', out]);
    for (let i = 0; i < 2; i++) {
      const t = b.temp('i64', 'tb');
      b.emit('mov_i64', [t, this.pick(WORK)]);
      this.tbTemps.push(t);
    }
    for (let parts = 1 + this.random(4); parts > 0; parts--) this.part();
    this.end();
    b.emit('set_label', [], [out]);
    b.emit('exit', [], [10, this.index, this.pc]);
    for (const t of this.tbTemps) b.free(t);
    return b.finish(PC_STEP);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.random(list.length)] as T;
  }

  private insn(): void {
    this.b.insnStart(this.pc, this.random(2) === 0 ? -1 : this.random(40));
    this.pc += 1 + this.random(3);
  }

  private part(): void {
    switch (this.random(5)) {
      case 0:
        this.diamond();
        break;
      case 1:
        this.loop();
        break;
      default:
        this.straight(2 + this.random(10));
        this.drop();
    }
  }

  private diamond(): void {
    const { b } = this;
    const [other, join] = [b.label(), b.label()];
    this.branch(other);
    this.straight(1 + this.random(4));
    this.drop();
    b.emit('br', [], [join]);
    b.emit('set_label', [], [other]);
    this.straight(1 + this.random(4));
    this.drop();
    b.emit('set_label', [], [join]);
  }

  /** A few rounds within the TB. */
  private loop(): void {
    const { b } = this;
    const again = b.label();
    const n = b.temp('i64', 'tb');
    b.emit('mov_i64', [n, b.i64(1 + this.random(4))]);
    b.emit('set_label', [], [again]);
    this.straight(1 + this.random(4));
    this.drop();
    b.emit('sub_i64', [n, n, b.i64(1)]);
    b.emit('brcond_i64', [n, b.i64(0)], ['gt', again]);
    b.free(n);
  }

  private branch(label: number): void {
    const { b } = this;
    if (this.random(3) === 0) {
      const [x, y] = [this.value(), this.value()];
      const t = this.fresh('i64');
      b.emit('setcond_i64', [t, x, y], [this.pick(CONDS)]);
      b.emit('brcond_i64', [t, b.i64(0)], [this.pick(['eq', 'ne'] as const), label]);
    } else b.emit('brcond_i64', [this.value(), this.value()], [this.pick(CONDS), label]);
    this.drop();
  }

  /** Frees the ebb temps: a label follows. */
  private drop(): void {
    for (const { id } of this.live) this.b.free(id);
    this.live = [];
  }

  private fresh(type: Type): TempId {
    const id = this.b.temp(type);
    this.live.push({ id, type });
    return id;
  }

  private value(): TempId {
    const temps = this.live.filter((t) => t.type === 'i64');
    const from = this.random(10);
    if (from < 4 && temps.length > 0) return this.pick(temps).id;
    if (from < 5 && this.tbTemps.length > 0) return this.pick(this.tbTemps);
    if (from < 7) return this.b.i64(this.pick([0, 1, 2, 255, 0xffff_ffff, 0x1234_5678_9abc]));
    return this.pick(WORK);
  }

  /** An i64 to write: a new temp, a global, a tb temp, or an ebb temp again. */
  private target(): TempId {
    const from = this.random(10);
    const temps = this.live.filter((t) => t.type === 'i64');
    if (from < 5) return this.fresh('i64');
    if (from < 6 && this.tbTemps.length > 0) return this.pick(this.tbTemps);
    if (from < 7 && temps.length > 0) return this.pick(temps).id;
    return this.pick(WORK);
  }

  private straight(ops: number): void {
    for (let i = 0; i < ops; i++) {
      if (this.random(4) === 0) this.insn();
      this.op();
    }
  }

  private op(): void {
    const { b } = this;
    const kind = this.random(16);
    if (kind < 6) {
      const name = this.pick(['add', 'sub', 'xor', 'and', 'mul', 'andc'] as const);
      const [x, y] = [this.value(), this.value()];
      b.emit(`${name}_i64`, [this.target(), x, y]);
    } else if (kind < 7) {
      const x = this.value();
      b.emit('mov_i64', [this.target(), x]);
    } else if (kind < 8) {
      const [x, y] = [this.value(), this.value()];
      b.emit('setcond_i64', [this.target(), x, y], [this.pick(CONDS)]);
    } else if (kind < 9) {
      const [w, x, y, z] = [this.value(), this.value(), this.value(), this.value()];
      b.emit('movcond_i64', [this.target(), w, x, y, z], [this.pick(CONDS)]);
    } else if (kind < 13) this.access();
    else if (kind < 14) this.flags();
    else if (kind < 15) this.helper();
    else this.atomic();
  }

  private guard(kind: 'r' | 'w' | 'rw', size: number): TempId {
    const { b } = this;
    const address = this.fresh('i64');
    // Mostly inside of the first page, at times over an edge of it.
    const offset = this.random(24) === 0 ? this.pick([-4, 4090, 4096, 8190]) : this.random(512);
    b.emit('add_i64', [address, BASE, b.i64(offset)]);
    const host = this.fresh('i32');
    b.emit(`guard_${kind}`, [host, address], [size]);
    return host;
  }

  private access(): void {
    const { b } = this;
    if (this.random(2) === 0) {
      const host = this.guard('r', 16);
      const name = this.pick(['gld_i64', 'gld8u_i64', 'gld16s_i64', 'gld32u_i64'] as const);
      b.emit(name, [this.target(), host], [this.random(9)]);
      return;
    }
    const rw = this.random(2) === 0;
    const host = this.guard(rw ? 'rw' : 'w', 16);
    const offset = this.random(9);
    if (!rw) {
      const v = this.value();
      b.emit(this.pick(['gst_i64', 'gst8_i64', 'gst32_i64'] as const), [host, v], [offset]);
      return;
    }
    const v = this.value();
    const [old, sum] = [this.fresh('i64'), this.fresh('i64')];
    b.emit('gld_i64', [old, host], [offset]);
    b.emit('add_i64', [sum, old, v]);
    b.emit('gst_i64', [host, sum], [offset]);
  }

  private flags(): void {
    const { b } = this;
    const v = this.value();
    b.emit('mov_i64', [this.pick([G.ccDst, G.ccSrc]), v]);
    if (this.random(2) === 0) b.emit('mov_i32', [G.ccOp, b.i32(this.random(40))]);
    if (this.random(3) === 0) {
      const x = this.fresh('v128');
      b.emit('v_splat_i64x2', [x, this.value()]);
      b.emit('v_xor', [G.xmm(this.random(2)), x, G.xmm(this.random(2))]);
    }
  }

  private helper(): void {
    const { b } = this;
    if (this.random(2) === 0) {
      const [x, y] = [this.value(), this.value()];
      b.emit('call', [this.target(), x, y], ['mulhu']);
      return;
    }
    // Reads and writes general registers in CPU state, in part.
    const host = this.guard('rw', 16);
    const aligned = this.fresh('i32');
    b.emit('and_i32', [aligned, host, b.i32(-16)]);
    b.emit('call', [this.target(), aligned], ['cmpxchg8b']);
  }

  private atomic(): void {
    const { b } = this;
    const host = this.guard('rw', 8);
    const bits = this.pick([8, 16, 32, 64] as const);
    const [x, y] = [this.value(), this.value()];
    if (this.random(3) === 0) b.emit(`atomic_cmpxchg${bits}`, [this.target(), host, x, y]);
    else b.emit(`atomic_${this.pick(['add', 'and', 'or', 'xor', 'xchg'] as const)}${bits}`, [this.target(), host, x]);
  }

  /** To one or two TBs of the program, or out of it, directly or by rip. */
  private end(): void {
    const { b } = this;
    const anywhere = (): number => PROGRAM_PC + PC_STEP * this.random(this.count + (this.random(4) === 0 ? 1 : 0));
    const kind = this.random(8);
    if (kind === 0) {
      const [x, y] = [this.value(), this.value()];
      const t = this.fresh('i64');
      b.emit('movcond_i64', [t, x, y, b.i64(anywhere()), b.i64(anywhere())], [this.pick(CONDS)]);
      b.emit('mov_i64', [G.rip, t]);
      this.drop();
      b.emit('lookup_and_goto_ptr', []);
      return;
    }
    if (kind > 2) {
      const taken = b.label();
      this.branch(taken);
      this.goto(0, anywhere());
      b.emit('set_label', [], [taken]);
      this.goto(1, anywhere());
      return;
    }
    this.drop();
    this.goto(0, anywhere());
  }

  private goto(slot: number, pc: number): void {
    this.b.emit('goto_tb', [], [slot, pc]);
    this.b.emit('exit_tb', [], [slot]);
  }
}
