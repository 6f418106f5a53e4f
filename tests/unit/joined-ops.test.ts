/** Ops that the interpreter does at one dispatch, against the same bytecode one by one: with random operands, and with accesses that fault; and which ops are joined. */
import { describe, expect, test } from '@jest/globals';
import type { TbCode } from '../../backend-wasm/bytecode/encode.js';
import { joinOps } from '../../backend-wasm/bytecode/join.js';
import { JOINED_OPS } from '../../backend-wasm/bytecode/joined-ops.js';
import {
  fieldBytes,
  type Opcode,
  opcodeOf,
  opcodes,
  opcodeSize,
  WAY_SIZE,
} from '../../backend-wasm/bytecode/opcodes.js';
import { CPU, EXIT } from '../../src/guest/cpu-state.js';
import { PAGE_SIZE, PERM } from '../../src/guest/memory-map.js';
import { GLOBALS, globalId } from '../../src/ir/globals.js';
import { CoreMachine } from '../support/core-machine.js';
import { generator } from '../support/ir-programs.js';

const PC = 0x40_0000;
const BUFFER = 0x60_0000;
const OTHER_PC = 0x41_0000;
const m = new CoreMachine();
m.allow(BUFFER, PERM.R | PERM.W);

const offsetOf = (name: string): number => GLOBALS[globalId(name)]?.offset ?? 0;
const DATA = ['rax', 'rcx', 'rdx', 'rbx', 'r8', 'r9'].map(offsetOf);
const VECTORS = ['xmm0', 'xmm1'].map(offsetOf);
/** Registers that hold addresses. */
const BASES = ['rsi', 'rdi', 'rsp'].map(offsetOf);

type Random = (below: number) => number;
const pick = (random: Random, list: readonly number[]): number => list[random(list.length)] as number;

/** Fields of an op behind its opcode: what is read as an address is one of BASES, which only pushes write. */
function operands(o: Opcode, random: Random): number[] {
  const data = (): number => pick(random, DATA);
  const small = (): number => random(128) - 64;
  const base = pick(random, BASES);
  if (o.helper !== undefined) return [data()];
  if (o.fusion === 'guard') return [data(), base];
  if (o.fusion === 'add-guard') return [data(), base, 8 * small()];
  if (o.fusion === 'push') return [data(), base, -8, base];
  if (o.fusion === 'jump') return [data(), o.last === 'k16' ? small() : data(), random(2) === 0 ? -1 : 7];
  if (o.op.name === 'exit') return [EXIT.INT80];
  if (o.op.name === 'goto_tb' || o.op.name === 'lookup_and_goto_ptr') return [random(2) === 0 ? -1 : 7, 0];
  if (o.movi === true) return [o.op.outs[0] === 'v128' ? pick(random, VECTORS) : data(), small()];
  const last = o.last === 'k16' ? (/^sh|^sa/.test(o.op.name) ? random(64) : small()) : data();
  return [...o.op.outs.map(data), ...o.op.ins.slice(0, -1).map(data), ...(o.last === 'k64' ? [] : [last])];
}

/** The bytecode of `ops`, an instruction each, and behind it an exit by `SYSCALL`, where branches go too. */
function assemble(ops: readonly Opcode[], random: Random, pc = PC): TbCode {
  const exit = opcodeOf('exit') as Opcode;
  const all = [...ops, exit, exit];
  const starts = all.reduce<number[]>((list, o) => [...list, (list.at(-1) ?? 0) + opcodeSize(o)], [0]);
  const codeSize = starts.at(-1) ?? 0;
  const bytes = new Uint8Array(codeSize);
  const view = new DataView(bytes.buffer);
  all.forEach((o, i) => {
    const at = starts[i] ?? 0;
    const fields = i < ops.length ? operands(o, random) : [i === ops.length ? EXIT.SYSCALL : EXIT.INT80];
    [o.code, ...fields].forEach((f, k) => {
      view.setInt16(at + 2 * k, f, true);
    });
    let word = at + fieldBytes(o);
    const end = at + opcodeSize(o);
    if (o.fusion === 'jump' || o.op.name === 'goto_tb') {
      for (let way = end - (o.fusion === 'jump' ? 2 : 1) * WAY_SIZE; way < end; way += WAY_SIZE)
        view.setBigUint64(way, BigInt(OTHER_PC + random(8)), true);
      return;
    }
    for (; word < end; word += 8) view.setBigInt64(word, BigInt(random(2 ** 31)) - 2n ** 30n, true);
    // To the second exit.
    if (o.op.imms.includes('label')) view.setInt32(end - 8, 8 + opcodeSize(exit), true);
  });
  return {
    pc,
    size: all.length,
    bytes,
    codeSize,
    rows: all.flatMap((_, i) => [starts[i] ?? 0, i % 3 === 0 ? 7 : -1, pc + i]),
    insns: all.length,
    links: [],
  };
}

/** Everything that a run may have changed, as a text. */
function state(): string {
  const globals = GLOBALS.map((g) => `${g.name}=${m.get(g.name).toString(16)}`);
  const memory = Buffer.from(m.views.u8.slice(BUFFER, BUFFER + PAGE_SIZE)).toString('hex');
  const fault = m.views.i64.slice((m.cpu + CPU.EXIT_ARG0) / 8, (m.cpu + CPU.EXIT_ARG0) / 8 + 2);
  return [...globals, ...fault, memory].join('\n');
}

/** Runs the TB at `pc` from a state that depends on `seed` alone. `wrong`: the base that points where nothing is. */
function run(pc: number, seed: number, wrong: string | undefined): string {
  const random = generator(seed);
  for (const g of GLOBALS)
    m.set(g.name, g.type === 'i32' ? 7n : BigInt(random(2 ** 32)) * (random(2) === 0 ? 1n : 2n ** 31n));
  for (const name of ['rsi', 'rdi', 'rsp']) m.set(name, BigInt(BUFFER + PAGE_SIZE / 2 + 8 * random(64)));
  if (wrong !== undefined) m.set(wrong, BigInt(BUFFER + 4 * PAGE_SIZE));
  for (let at = 0; at < PAGE_SIZE; at += 4) m.views.view.setUint32(BUFFER + at, random(2 ** 32), true);
  m.setI32(CPU.EXIT_REASON, 0);
  // An indirect jump goes to the TB again.
  m.setI32(CPU.FUEL, 3);
  const reason = m.run(pc);
  return `exit ${reason}\n${state()}`;
}

const ROUNDS = 20;

describe.each(JOINED_OPS.map((key) => [key]))('%s', (key) => {
  const joined = opcodeOf(key) as Opcode;
  test.each([
    ['any operands', undefined],
    ['rsi points to nothing', 'rsi'],
    ['rsp points to nothing', 'rsp'],
  ])('%s', (_what, wrong) => {
    m.clear();
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const pc = PC + 16 * seed;
      const header = m.addCode(assemble(joined.joined ?? [], generator(seed), pc));
      expect(m.keys(header)[0]).toBe(key);
      const together = run(pc, seed, wrong);
      m.separate(header);
      expect(m.keys(header)[0]).not.toBe(key);
      expect(`seed ${seed}: ${run(pc, seed, wrong)}`).toBe(`seed ${seed}: ${together}`);
    }
  });
});

describe('which ops are joined', () => {
  const codeOf = (key: string): Opcode => opcodeOf(key) as Opcode;
  /** Keys of what `keys` became. */
  const join = (...keys: readonly string[]): string[] => {
    const ops = keys.map(codeOf);
    const { bytes, codeSize } = assemble(ops, generator(1));
    const words = new Uint16Array(bytes.buffer);
    joinOps(words, 0, codeSize / 2);
    const found: string[] = [];
    for (let at = 0; at < codeSize;) {
      const o = opcodes()[words[at / 2] ?? 0] as Opcode;
      found.push(o.key);
      at += opcodeSize(o);
    }
    return found.slice(0, -2);
  };

  test('the most that fit', () => {
    expect(join('sub_i64:k', 'movi_i64:k', 'mov_i64', 'add_i64')).toEqual([
      'sub_i64:k & movi_i64:k & mov_i64 & add_i64',
    ]);
    expect(join('sub_i64:k', 'movi_i64:k', 'mov_i64', 'or_i64')).toEqual([
      'sub_i64:k & movi_i64:k & mov_i64',
      'or_i64',
    ]);
    expect(join('sub_i64:k', 'movi_i64:k', 'or_i64')).toEqual(['sub_i64:k', 'movi_i64:k', 'or_i64']);
  });
  test('one behind the other', () => {
    expect(join('mov_i64', 'mov_i64', 'mov_i64', 'mov_i64', 'mov_i64')).toEqual([
      'mov_i64 & mov_i64 & mov_i64',
      'mov_i64 & mov_i64',
    ]);
  });
  test('what was joined stays whole behind its opcode', () => {
    const ops = ['mov_i64', 'mov_i64', 'ext32u_i64'].map(codeOf);
    const code = assemble(ops, generator(3));
    const before = code.bytes.slice();
    joinOps(new Uint16Array(code.bytes.buffer), 0, code.codeSize / 2);
    expect(code.bytes.subarray(2)).toEqual(before.subarray(2));
    expect(code.bytes.subarray(0, 2)).not.toEqual(before.subarray(0, 2));
  });
});
