/** Random sequences of the ops that are fused, against the ops one by one in JS: addresses, loads, stores, pushes, pops, compares. */
import { expect, test } from '@jest/globals';
import type { TempId } from '../../src/base/ids.js';
import { PERM } from '../../src/guest/memory-map.js';
import type { IrBuilder } from '../../src/ir/builder.js';
import { G, GLOBALS } from '../../src/ir/globals.js';
import { CoreMachine, DONE, singleTb } from '../support/core-machine.js';
import { generator } from '../support/ir-programs.js';

const BUFFER = 0x60_0000;
const BYTES = 4096;
const MIDDLE = BUFFER + BYTES / 2;
const m = new CoreMachine();
m.allow(BUFFER, PERM.R | PERM.W);
m.allow(BUFFER + BYTES, PERM.R | PERM.W);

const u64 = (v: bigint): bigint => BigInt.asUintN(64, v);

/** Emits ops and does the same on values of its own. Pointers: rsp, rbp and temps made from them; data: any other. */
class Model {
  readonly values = new Map<TempId, bigint>();
  readonly memory = new DataView(new ArrayBuffer(BYTES));
  private readonly temps: TempId[] = [];
  private pointers: TempId[] = [G.reg(4), G.reg(5)];
  private readonly data = [G.reg(0), G.reg(1), G.reg(2), G.ccDst, G.ccSrc];

  constructor(
    private readonly b: IrBuilder,
    private readonly random: (below: number) => number,
  ) {
    for (const id of this.pointers) this.values.set(id, BigInt(MIDDLE));
    this.data.forEach((id, i) => this.values.set(id, BigInt(0x1111 * (i + 1))));
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.random(list.length)] as T;
  }

  private temp(type: 'i32' | 'i64'): TempId {
    const t = this.b.temp(type);
    this.temps.push(t);
    return t;
  }

  private get(id: TempId): bigint {
    return this.values.get(id) ?? 0n;
  }

  /** An address in the buffer from a pointer: itself, or a temp at some distance. */
  private address(): TempId {
    const from = this.pick(this.pointers);
    if (this.random(3) === 0) return from;
    const t = this.temp('i64');
    this.sum(t, from, 8 * (this.random(9) - 4));
    if (this.random(3) === 0) this.pointers.push(t);
    return t;
  }

  private sum(to: TempId, from: TempId, k: number): void {
    const subtract = this.random(2) === 0;
    this.b.emit(subtract ? 'sub_i64' : 'add_i64', [to, from, this.b.i64(subtract ? -k : k)]);
    this.values.set(to, u64(this.get(from) + BigInt(k)));
  }

  private guard(kind: 'r' | 'w', address: TempId): TempId {
    const h = this.temp('i32');
    this.b.emit(`guard_${kind}`, [h, address], [8]);
    return h;
  }

  private at(address: TempId): number {
    return Number(this.get(address)) - BUFFER;
  }

  private load(to: TempId, address: TempId): void {
    this.b.emit('gld_i64', [to, this.guard('r', address)], [0]);
    this.values.set(to, this.memory.getBigUint64(this.at(address), true));
  }

  private store(address: TempId, value: TempId): void {
    this.b.emit('gst_i64', [this.guard('w', address), value], [0]);
    this.memory.setBigUint64(this.at(address), this.get(value), true);
  }

  private move(to: TempId, from: TempId): void {
    this.b.emit('mov_i64', [to, from]);
    this.values.set(to, this.get(from));
  }

  step(): void {
    const sp = this.pick([G.reg(4), G.reg(5)]);
    switch (this.random(8)) {
      case 0:
      case 1: {
        // A push; its address may be used later, and become a pointer.
        const t = this.temp('i64');
        this.sum(t, this.pick([sp, ...this.pointers]), -8);
        this.store(t, this.pick([...this.data, ...this.pointers]));
        this.move(sp, t);
        if (this.random(2) === 0) this.pointers.push(t);
        break;
      }
      case 2:
        this.load(this.pick(this.data), sp);
        this.sum(sp, sp, 8);
        break;
      case 3:
        this.load(this.pick(this.data), this.address());
        break;
      case 4:
        this.store(this.address(), this.pick([...this.data, ...this.pointers]));
        break;
      case 5: {
        const [a, c] = [this.pick(this.data), this.pick(this.data)];
        this.b.emit('sub_i64', [G.ccDst, a, c]);
        this.values.set(G.ccDst, u64(this.get(a) - this.get(c)));
        this.move(G.ccSrc, c);
        break;
      }
      case 6:
        this.sum(sp, sp, 8 * (this.random(5) - 2));
        break;
      default:
        this.move(this.pick(this.data), this.pick([...this.data, ...this.pointers]));
    }
    // Not too far from the middle.
    for (const p of [G.reg(4), G.reg(5)]) {
      if (Math.abs(this.at(p) - BYTES / 2) > 512) {
        this.b.emit('mov_i64', [p, this.b.i64(MIDDLE)]);
        this.values.set(p, BigInt(MIDDLE));
      }
    }
    this.pointers = this.pointers.filter((p) => Math.abs(this.at(p) - BYTES / 2) < 1024);
  }

  finish(): void {
    for (const t of this.temps) this.b.free(t);
  }
}

test.each(Array.from({ length: 12 }, (_, i) => i))('seeds from %d00', (hundred) => {
  const fused = new Set<string>();
  for (let seed = 100 * hundred; seed < 100 * (hundred + 1); seed++) {
    const random = generator(seed);
    let model: Model | undefined;
    const tb = singleTb(0x40_0000, (b) => {
      model = new Model(b, random);
      for (let steps = 3 + random(40); steps > 0; steps--) model.step();
      model.finish();
    });
    if (model === undefined) throw new Error('no model');
    m.views.u8.fill(0, BUFFER, BUFFER + BYTES);
    for (const i of [4, 5]) m.set(GLOBALS[i]?.name ?? '', BigInt(MIDDLE));
    ['rax', 'rcx', 'rdx', 'cc_dst', 'cc_src'].forEach((name, i) => {
      m.set(name, BigInt(0x1111 * (i + 1)));
    });
    m.clear();
    for (const key of m.keys(m.add(tb))) fused.add(key);
    expect([seed, m.run(tb.pc)]).toEqual([seed, DONE]);
    for (const name of ['rax', 'rcx', 'rdx', 'rsp', 'rbp', 'cc_dst', 'cc_src']) {
      const id = GLOBALS.findIndex((g) => g.name === name) as TempId;
      expect([seed, name, m.get(name)]).toEqual([seed, name, model.values.get(id)]);
    }
    const memory = Buffer.from(m.views.u8.slice(BUFFER, BUFFER + BYTES));
    expect([seed, memory.equals(Buffer.from(model.memory.buffer))]).toEqual([seed, true]);
  }
  for (const key of ['gst_i64+push', 'gld_i64+pop', 'gld_i64+add', 'gst_i64+add', 'gld_i64+guard', 'sub_i64+cmp'])
    expect(fused).toContain(key);
});
