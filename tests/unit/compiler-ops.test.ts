/**
 * Every op without effects, compiled and interpreted on generated values: both must give what the op's fold gives, and each other's result where it has none.
 */
import { describe, expect, test } from '@jest/globals';
import type { TempId } from '../../src/base/ids.js';
import { CPU, EXIT } from '../../src/guest/cpu-state.js';
import { CC_OP_COUNT } from '../../src/guest/flags.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G } from '../../src/ir/globals.js';
import { OP_LIST, type OpDef } from '../../src/ir/ops.js';
import { CONDS, type Imm, type Tb, type Type } from '../../src/ir/types.js';
import { IrMachine, regionOf } from '../support/ir-machine.js';
import { loadValue, storeValue } from '../support/ir-values.js';

const PC = 0x40_0000;
/** Inputs and outputs, in CPU state that nothing else uses. */
const AREA = 0x500;
const AREA_END = 0x1000;
const WIDTH: Readonly<Record<Type, number>> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };

/** xorshift64*: the same cases in every run. */
let state = 0x9e3779b97f4a7c15n;
function random(bits: number): bigint {
  let value = 0n;
  for (let have = 0; have < bits; have += 32) {
    state ^= state >> 12n;
    state = BigInt.asUintN(64, state ^ (state << 25n));
    state ^= state >> 27n;
    value = (value << 32n) | (BigInt.asUintN(64, state * 0x2545f4914f6cdd1dn) >> 32n);
  }
  return BigInt.asUintN(bits, value);
}
const pick = <T>(list: readonly T[]): T => list[Number(random(32)) % list.length] as T;

const F32 = [
  0,
  1,
  -1,
  0.5,
  1.5,
  2.5,
  -2.5,
  3e9,
  -3e9,
  2 ** 31,
  2 ** 63,
  -(2 ** 63),
  1e30,
  1e-40,
  -0,
  Infinity,
  -Infinity,
];
const F32_BITS = [0x7fc0_0000, 0xffc1_2345, 0x7f80_0001, 0x0000_0001, 0x7f7f_ffff];
const F64_BITS = [0x7ff8_0000_0000_0000n, 0xfff8_1234_0000_0001n, 0x7ff0_0000_0000_0001n, 1n, 0x7fef_ffff_ffff_ffffn];
const view = new DataView(new ArrayBuffer(8));
function floatBits(type: 'f32' | 'f64'): bigint {
  const kind = Number(random(32)) % 3;
  if (type === 'f32') {
    if (kind === 0) return BigInt(pick(F32_BITS));
    view.setFloat32(0, kind === 1 ? pick(F32) : (Number(random(32)) - 2 ** 31) * 2 ** (Number(random(4)) - 8));
    return BigInt(view.getUint32(0));
  }
  if (kind === 0) return pick(F64_BITS);
  view.setFloat64(0, kind === 1 ? pick(F32) : (Number(random(32)) - 2 ** 31) * 2 ** (Number(random(5)) - 16));
  return view.getBigUint64(0);
}
function value(type: Type, lane: Type): bigint {
  if (type === 'f32' || type === 'f64') return floatBits(type);
  const bits = WIDTH[type];
  if (type === 'v128' && (lane === 'f32' || lane === 'f64')) {
    let v = 0n;
    for (let at = 0; at < 128; at += WIDTH[lane]) v |= floatBits(lane) << BigInt(at);
    return v;
  }
  switch (Number(random(32)) % 5) {
    case 0:
      return 0n;
    case 1:
      return BigInt.asUintN(
        bits,
        pick([1n, -1n, 1n << BigInt(bits - 1), (1n << BigInt(bits - 1)) - 1n, 0x80n, 0xff7fn]),
      );
    case 2:
      return BigInt.asUintN(bits, random(8));
    default:
      return random(bits);
  }
}

/** Immediates that the op's check takes. */
function immediates(def: OpDef): Imm[] {
  for (let tries = 0; tries < 1000; tries++) {
    const imms = def.imms.map((kind): Imm => {
      if (kind === 'cond') return pick(CONDS);
      if (kind === 'lanes') return Array.from({ length: 16 }, () => Number(random(5)));
      return Number(random(6));
    });
    if (def.check?.(imms, []) === undefined) return imms;
  }
  throw new Error(`no immediates for ${def.name}`);
}

interface Case {
  readonly inputs: readonly bigint[];
  readonly imms: readonly Imm[];
  /** Where the inputs come from: loaded, or constants. */
  readonly constant: boolean;
  /** Offset of the inputs, and of the output. */
  readonly at: number;
  readonly out: number;
}

const lanesOf = (def: OpDef): Type => (def.name.includes('f32') ? 'f32' : def.name.includes('f64') ? 'f64' : 'i32');

function generate(def: OpDef): Case[] {
  const cases: Case[] = [];
  const size = 16 * (def.ins.length + 1);
  for (let at = AREA; at + size <= AREA_END && cases.length < 24; at += size) {
    const imms = immediates(def);
    let inputs = def.ins.map((t) => value(t, lanesOf(def)));
    // Divisors that the lifter rules out: the op is undefined there.
    const isDivision = /^(div|rem)[su]_/.test(def.name);
    while (isDivision && def.fold?.(inputs, imms) === undefined) inputs = def.ins.map((t) => value(t, 'i32'));
    let constant = cases.length % 4 === 3;
    if (constant && def.check?.(imms, inputs) !== undefined) constant = false;
    cases.push({ inputs, imms, constant, at, out: at + 16 * def.ins.length });
  }
  return cases;
}

function input(b: IrBuilder, type: Type, c: Case, i: number): TempId {
  return c.constant ? b.constant(type, c.inputs[i] ?? 0n) : loadValue(b, type, c.at + 16 * i);
}

function buildTb(def: OpDef, cases: readonly Case[], pc: number): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  for (const c of cases) {
    const ins = def.ins.map((type, i) => input(b, type, c, i));
    const outs = def.outs.map((type) => b.temp(type));
    b.emit(def.name, [...outs, ...ins], c.imms);
    outs.forEach((t, i) => {
      storeValue(b, def.outs[i] ?? 'i64', t, c.out);
    });
    for (const t of outs) b.free(t);
    if (!c.constant) for (const t of ins) b.free(t);
  }
  b.emit('exit', [], [10, 0, pc]);
  return b.finish(1);
}

const machine = new IrMachine();

function writeInputs(def: OpDef, cases: readonly Case[]): void {
  machine.views.u8.fill(0, machine.cpu + AREA, machine.cpu + AREA_END);
  for (const c of cases) {
    def.ins.forEach((_, i) => {
      const v = c.inputs[i] ?? 0n;
      machine.views.view.setBigUint64(machine.cpu + c.at + 16 * i, BigInt.asUintN(64, v), true);
      machine.views.view.setBigUint64(machine.cpu + c.at + 16 * i + 8, v >> 64n, true);
    });
  }
}

const outputs = (cases: readonly Case[]): bigint[] =>
  cases.map(({ out }) => {
    const { view } = machine.views;
    return view.getBigUint64(machine.cpu + out, true) | (view.getBigUint64(machine.cpu + out + 8, true) << 64n);
  });

const hex = (v: bigint | undefined): string => (v === undefined ? 'undefined' : `0x${v.toString(16)}`);
const pure = OP_LIST.filter((def) => def.effects.length === 0);

describe('ops without effects', () => {
  const tests = pure.map((def, i) => ({ def, cases: generate(def), pc: PC + 16 * i }));
  const tbs = tests.map(({ def, cases, pc }) => buildTb(def, cases, pc));
  const compiled = machine.compile(tbs.map((tb) => regionOf(tb)));

  test.each(tests.map((t, i) => [t.def.name, t, i] as const))('%s', (_name, { def, cases }, i) => {
    const tb = tbs[i];
    if (tb === undefined) throw new Error('no TB');
    writeInputs(def, cases);
    expect(machine.runInterpreted(tb)).toBe(10);
    const interpreted = outputs(cases);
    writeInputs(def, cases);
    expect(compiled[i]?.(machine.cpu)).toBe(10);
    const results = outputs(cases);
    cases.forEach((c, n) => {
      const folded = def.fold?.(c.inputs, c.imms);
      const what = `${def.name} ${c.inputs.map(hex).join(', ')} [${c.imms.join(' ')}]${c.constant ? ' constant' : ''}`;
      expect(`${what} = ${hex(results[n])}`).toBe(`${what} = ${hex(folded ?? interpreted[n])}`);
      expect(`${what} = ${hex(interpreted[n])}`).toBe(`${what} = ${hex(results[n])}`);
    });
  });
});

test('CF of each CC_OP, which compiled code takes from cc_src behind INC and DEC, is the interpreter’s', () => {
  const b = new IrBuilder(PC);
  b.insnStart(PC, -1);
  b.emit('call', [G.reg(0), G.ccOp, G.ccDst, G.ccSrc, G.ccSrc2], ['cc_compute_c']);
  b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 2]);
  const tb = b.finish(2);
  const m = new IrMachine();
  const [run] = m.compile([regionOf(tb)]);
  for (let op = 0; op < CC_OP_COUNT; op++)
    for (let i = 0; i < 20; i++) {
      m.set('cc_op', BigInt(op));
      for (const name of ['cc_dst', 'cc_src', 'cc_src2']) m.set(name, i % 2 === 0 ? random(64) : random(2));
      m.setI32(CPU.EXIT_REASON, 0);
      expect(run?.(m.cpu)).toBe(EXIT.SYSCALL);
      const compiled = m.get('rax');
      expect(m.runInterpreted(tb)).toBe(EXIT.SYSCALL);
      expect([op, compiled]).toEqual([op, m.get('rax')]);
    }
});
