/** Bytecode: every opcode is reached, and does what its ops do (`fold`, or plain memory). */
import { describe, expect, test } from '@jest/globals';
import { bytecodeFingerprint, opcodes } from '../../backend-wasm/bytecode/opcodes.js';
import { checkBytecode } from '../../src/engine/core.js';
import { CPU, EXIT } from '../../src/guest/cpu-state.js';
import { PERM } from '../../src/guest/memory-map.js';
import type { TempId } from '../../src/base/ids.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G } from '../../src/ir/globals.js';
import { evalCond, OP_LIST, type OpDef } from '../../src/ir/ops.js';
import { CONDS, type Imm, type Type } from '../../src/ir/types.js';
import { CoreMachine, DONE, singleTb } from '../support/core-machine.js';
import { loadValue, storeValue } from '../support/ir-values.js';

const A = 0x40_0000;
const PAGE = 0x60_0000;
/** CPU state that nothing else uses: inputs 16 bytes apart, then the output. */
const AREA = 0x600;
const OUT = 0x6c0;
const WIDTH: Readonly<Record<Type, number>> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };

const m = new CoreMachine();
m.allow(PAGE, PERM.R | PERM.W);
m.allow(PAGE + 4096, PERM.R | PERM.W);
const reached = new Set<string>();

/** Runs one TB to its end; what it was encoded to counts as reached. */
function run(body: (b: IrBuilder) => void, want: number = DONE): string[] {
  const tb = singleTb(A, body);
  m.clear();
  const header = m.add(tb);
  const keys = m.keys(header);
  for (const key of keys) reached.add(key);
  expect(m.run(A)).toBe(want);
  return keys;
}

/** xorshift64. */
let state = 0x0123_4567_89ab_cdefn;
function random(bits: number): bigint {
  let v = 0n;
  for (let have = 0; have < bits; have += 64) {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    v = (v << 64n) | state;
  }
  return BigInt.asUintN(bits, v);
}

function write(at: number, v: bigint): void {
  m.views.view.setBigUint64(at, BigInt.asUintN(64, v), true);
  m.views.view.setBigUint64(at + 8, v >> 64n, true);
}
const read = (at: number, bits: number): bigint =>
  BigInt.asUintN(bits, m.views.view.getBigUint64(at, true) | (m.views.view.getBigUint64(at + 8, true) << 64n));

function immediates(def: OpDef, cond: string | undefined): Imm[] {
  for (;;) {
    const imms = def.imms.map((kind): Imm => {
      if (kind === 'cond') return cond ?? 'eq';
      if (kind === 'lanes') return Array.from({ length: 16 }, () => Number(random(5)));
      return Number(random(6));
    });
    if (def.check?.(imms, []) === undefined) return imms;
  }
}

/** Values of the last input: undefined stands for one that is loaded. */
const LAST: readonly (bigint | undefined)[] = [
  undefined,
  1n,
  7n,
  -3n,
  0x7fffn,
  -0x8000n,
  0x8000n,
  -0x8001n,
  0x1234_5678n,
];
const WIDE = 0xfedc_ba98_7654_3210n;

describe('ops without effects', () => {
  test.each(OP_LIST.filter((def) => def.effects.length === 0).map((def) => [def.name, def] as const))(
    '%s',
    (name, def) => {
      const out = def.outs[0] ?? 'i64';
      const bits = WIDTH[def.ins.at(-1) ?? 'i64'];
      const lasts = bits === 32 || bits === 64 ? [...LAST, bits === 64 ? WIDE : undefined] : [undefined, random(bits)];
      for (const cond of def.imms.includes('cond') ? CONDS : [undefined]) {
        for (const last of lasts) {
          for (const inPlace of def.ins[0] === out ? [false, true] : [false]) {
            const imms = immediates(def, cond);
            const inputs = def.ins.map((type) => random(Number(random(2)) === 0 ? 8 : WIDTH[type]));
            if (last !== undefined) inputs[inputs.length - 1] = BigInt.asUintN(bits, last);
            const constants = inputs.map((v, i) => (i === inputs.length - 1 && last !== undefined ? v : undefined));
            if (def.check?.(imms, constants) !== undefined) continue;
            const want = def.fold?.(inputs, imms);
            if (/^(div|rem)[su]_/.test(name) && want === undefined) continue;
            inputs.forEach((v, i) => {
              write(m.cpu + AREA + 16 * i, v);
            });
            run((b) => {
              const ins = def.ins.map((type, i) =>
                i === def.ins.length - 1 && last !== undefined
                  ? b.constant(type, inputs[i] ?? 0n)
                  : loadValue(b, type, AREA + 16 * i),
              );
              const [first] = ins;
              const reuse = inPlace && first !== undefined && (ins.length > 1 || last === undefined);
              const t = reuse ? first : b.temp(out);
              b.emit(name, [t, ...ins], imms);
              storeValue(b, out, t, OUT);
              if (!reuse) b.free(t);
              ins.forEach((id, i) => {
                if (i < ins.length - 1 || last === undefined) b.free(id);
              });
            });
            // Ops without a fold: compiler-ops.test.ts compares both engines.
            const what = `${name} ${String(cond)} ${inputs.map((v) => v.toString(16)).join(' ')} =`;
            if (want !== undefined)
              expect(`${what} ${read(m.cpu + OUT, WIDTH[out]).toString(16)}`).toBe(`${what} ${want.toString(16)}`);
          }
        }
      }
    },
  );

  test('all inputs constant', () => {
    run((b) => {
      const t = b.temp('i64');
      b.emit('sub_i64', [t, b.i64(WIDE), b.i64(5)]);
      b.emit('movcond_i64', [t, t, b.i64(WIDE - 5n), b.i64(-1), b.i64(2)], ['eq']);
      b.emit('st_i64', [t], [OUT]);
      const v = b.temp('v128');
      b.emit('mov_v128', [v, b.constant('v128', (WIDE << 64n) | 3n)]);
      b.emit('v_xor', [v, v, b.constant('v128', 1n)]);
      b.emit('st_v128', [v], [OUT + 16]);
      b.free(t);
      b.free(v);
    });
    expect(read(m.cpu + OUT, 64)).toBe(2n ** 64n - 1n);
    expect(read(m.cpu + OUT + 16, 128)).toBe((WIDE << 64n) | 2n);
  });
});

/** Bits accessed, bits of the value, and whether it is sign-extended, of a guest load or store. */
function shape(name: string): { bits: number; type: Type; sign: boolean } {
  const [, bits, mark, type] = /^g(?:ld|st)(\d*)([usz]?)_(\w+)$/.exec(name) ?? [];
  const t = type as Type;
  return { bits: bits === '' ? WIDTH[t] : Number(bits), type: t, sign: mark === 's' };
}

describe('guest memory', () => {
  const loads = OP_LIST.filter((def) => def.name.startsWith('gld')).map((def) => def.name);
  const stores = OP_LIST.filter((def) => def.name.startsWith('gst')).map((def) => def.name);
  /** By the address: as it is, with a displacement, and through a host address that has another use. */
  const WAYS = ['guard', 'add', 'sub', 'far', 'plain'] as const;
  const displacement = { guard: 0, add: 0x123, sub: -0x77, far: 0x9000, plain: 5 };

  function host(b: IrBuilder, kind: 'r' | 'w', way: (typeof WAYS)[number], size: number): [TempId, number] {
    const h = b.temp('i32');
    const address = b.temp('i64');
    const d = displacement[way];
    if (way === 'guard' || way === 'plain') b.emit('mov_i64', [address, G.reg(1)]);
    else if (way === 'sub') b.emit('sub_i64', [address, G.reg(1), b.i64(-d)]);
    else b.emit('add_i64', [address, G.reg(1), b.i64(d)]);
    b.emit(`guard_${kind}`, [h, address], [way === 'plain' ? 32 : size]);
    b.free(address);
    return [h, way === 'plain' ? d : 0];
  }
  const fusion = (way: (typeof WAYS)[number], name: string): string =>
    way === 'plain' ? name : `${name}+${way === 'guard' || way === 'far' ? 'guard' : 'add'}`;

  test.each(loads)('%s', (name) => {
    const { bits, type, sign } = shape(name);
    for (const way of WAYS) {
      const at = PAGE + 0x203;
      const memory = random(128) | (1n << BigInt(bits - 1));
      write(at, memory);
      m.set('rcx', BigInt(at - displacement[way]));
      const keys = run((b) => {
        const [h, offset] = host(b, 'r', way, bits / 8);
        const t = b.temp(type);
        b.emit(name, [t, h], [offset]);
        if (way === 'plain') b.emit('st_i32', [h], [OUT + 32]);
        storeValue(b, type, t, OUT);
        b.free(t);
        b.free(h);
      });
      expect(keys).toContain(fusion(way, name));
      const v = BigInt.asUintN(bits, memory);
      expect(read(m.cpu + OUT, WIDTH[type])).toBe(sign ? BigInt.asUintN(WIDTH[type], BigInt.asIntN(bits, v)) : v);
    }
  });

  test.each(stores)('%s', (name) => {
    const { bits, type } = shape(name);
    for (const way of WAYS) {
      for (const constant of [false, true]) {
        const at = PAGE + 0x203;
        const v = random(WIDTH[type]);
        write(at, 0x5555_5555_5555_5555_5555_5555_5555_5555n);
        write(m.cpu + AREA, v);
        m.set('rcx', BigInt(at - displacement[way]));
        const keys = run((b) => {
          const value = constant ? b.constant(type, v) : loadValue(b, type, AREA);
          const [h, offset] = host(b, 'w', way, bits / 8);
          b.emit(name, [h, value], [offset]);
          if (way === 'plain') b.emit('st_i32', [h], [OUT + 32]);
          if (!constant) b.free(value);
          b.free(h);
        });
        expect(keys).toContain(fusion(way, name));
        const rest = 0x5555_5555_5555_5555_5555_5555_5555_5555n >> BigInt(bits);
        expect(read(at, 128)).toBe(BigInt.asUintN(bits, v) | (bits === 128 ? 0n : rest << BigInt(bits)));
      }
    }
  });
});

describe('CPU state', () => {
  test.each(OP_LIST.filter((def) => def.effects.some((e) => e.startsWith('env-'))).map((def) => def.name))(
    '%s',
    (name) => {
      const [, op, bits, type] = /^(ld|st)(\d*)u?_(\w+)$/.exec(name) ?? [];
      const width = bits === '' ? WIDTH[type as Type] : Number(bits);
      const v = random(128);
      write(m.cpu + AREA, v);
      write(m.cpu + OUT, 0n);
      run((b) => {
        const t = b.temp(type as Type);
        b.emit(op === 'ld' ? name : `ld_${String(type)}`, [t], [AREA]);
        b.emit(op === 'st' ? name : `st_${String(type)}`, [t], [OUT]);
        b.free(t);
      });
      expect(read(m.cpu + OUT, 128)).toBe(BigInt.asUintN(width, v));
    },
  );
});

describe('branches', () => {
  const samples: [bigint, bigint][] = [
    [0n, 0n],
    [1n, 0n],
    [0n, 1n],
    [5n, 5n],
    [2n, 4n],
    [-1n, 1n],
    [1n, -1n],
    [1n << 63n, 3n],
    [0x8000_0000n, -0x8000n],
    [7n, 0x1_2345_6789n],
    [0x1_2345_6789n, 0x1_2345_6789n],
    [-5n, WIDE],
  ];

  test.each(CONDS.flatMap((cond) => [['i32', cond] as const, ['i64', cond] as const]))('brcond_%s %s', (type, cond) => {
    for (const [a, b2] of samples) {
      const bits = WIDTH[type];
      const [x, y] = [BigInt.asUintN(bits, a), BigInt.asUintN(bits, b2)];
      const taken = evalCond(cond, bits, x, y);
      write(m.cpu + AREA, x);
      write(m.cpu + AREA + 16, y);
      for (const constant of [false, true]) {
        // Within the TB.
        run((b) => {
          const [p, q] = [loadValue(b, type, AREA), constant ? b.constant(type, y) : loadValue(b, type, AREA + 16)];
          const [other, end] = [b.label(), b.label()];
          b.emit(`brcond_${type}`, [p, q], [cond, other]);
          b.emit('st_i32', [b.i32(0)], [OUT]);
          b.emit('br', [], [end]);
          b.emit('set_label', [], [other]);
          b.emit('st_i32', [b.i32(1)], [OUT]);
          b.emit('set_label', [], [end]);
          b.free(p);
          if (!constant) b.free(q);
        });
        expect([type, cond, x, y, m.i32(OUT)]).toEqual([type, cond, x, y, taken ? 1 : 0]);
        // To another TB, with and without a new cc_op.
        for (const cc of [false, true]) {
          const b = new IrBuilder(A);
          b.insnStart(A, -1);
          const [p, q] = [loadValue(b, type, AREA), constant ? b.constant(type, y) : loadValue(b, type, AREA + 16)];
          const other = b.label();
          if (cc) b.emit('mov_i32', [G.ccOp, b.i32(14)]);
          b.emit(`brcond_${type}`, [p, q], [cond, other]);
          b.emit('goto_tb', [], [1, A + 64]);
          b.emit('exit_tb', [], [1]);
          b.emit('set_label', [], [other]);
          b.emit('goto_tb', [], [0, 0x7fff_0000_1000]);
          b.emit('exit_tb', [], [0]);
          b.free(p);
          if (!constant) b.free(q);
          m.clear();
          const header = m.add(b.finish(1));
          const keys = m.keys(header);
          for (const key of keys) reached.add(key);
          if (type === 'i64') expect(keys.slice(-1)[0]).toContain(`brcond_i64.${cond}+jump`);
          m.set('cc_op', 3n);
          expect(m.run(A)).toBe(EXIT.TRANSLATE);
          expect(m.get('rip')).toBe(BigInt(taken ? 0x7fff_0000_1000 : A + 64));
          expect(m.i32(CPU.EXIT_LINK) >>> 0).toBe(m.links(header)[taken ? 1 : 0]);
          expect(m.get('cc_op')).toBe(cc ? 14n : 3n);
        }
      }
    }
  });

  test('backwards, with temps of the whole TB', () => {
    run((b) => {
      const again = b.label();
      const n = b.temp('i64', 'tb');
      const sum = b.temp('i64', 'tb');
      b.emit('mov_i64', [n, b.i64(1000)]);
      b.emit('mov_i64', [sum, b.i64(0)]);
      b.emit('set_label', [], [again]);
      const t = b.temp('i64');
      b.emit('mul_i64', [t, n, n]);
      b.emit('add_i64', [sum, sum, t]);
      b.free(t);
      b.emit('sub_i64', [n, n, b.i64(1)]);
      b.emit('brcond_i64', [n, b.i64(0)], ['ne', again]);
      b.emit('st_i64', [sum], [OUT]);
      b.free(n);
      b.free(sum);
    });
    expect(read(m.cpu + OUT, 64)).toBe(333_833_500n);
  });

  test('a branch to the next op costs nothing', () => {
    const keys = run((b) => {
      const l = b.label();
      b.emit('br', [], [l]);
      b.emit('set_label', [], [l]);
    });
    expect(keys).toEqual(['exit']);
    run((b) => {
      const [l, k] = [b.label(), b.label()];
      b.emit('br', [], [l]);
      b.emit('set_label', [], [k]);
      b.emit('st_i32', [b.i32(1)], [OUT]);
      b.emit('set_label', [], [l]);
    });
  });
});

describe('leaving', () => {
  test('exit has reason, argument and rip', () => {
    const b = new IrBuilder(A);
    b.insnStart(A, -1);
    b.emit('exit', [], [EXIT.EXCEPTION, 6, 0x7fff_1234_5678]);
    m.clear();
    m.add(b.finish(1));
    expect(m.run(A)).toBe(EXIT.EXCEPTION);
    expect(m.exitArgs[0]).toBe(6n);
    expect(m.get('rip')).toBe(0x7fff_1234_5678n);
  });

  test.each([false, true])('goto_tb and lookup_and_goto_ptr, with a new cc_op: %p', (cc) => {
    for (const indirect of [false, true]) {
      const b = new IrBuilder(A);
      b.insnStart(A, -1);
      b.emit('mov_i64', [G.rip, b.i64(A + 99)]);
      if (cc) b.emit('mov_i32', [G.ccOp, b.i32(14)]);
      if (indirect) b.emit('lookup_and_goto_ptr', []);
      else {
        b.emit('goto_tb', [], [0, A + 99]);
        b.emit('exit_tb', [], [0]);
      }
      m.clear();
      const keys = m.keys(m.add(b.finish(1)));
      for (const key of keys) reached.add(key);
      expect(keys).toEqual(['movi_i64:K', indirect ? 'lookup_and_goto_ptr' : 'goto_tb']);
      m.set('cc_op', 3n);
      expect(m.run(A)).toBe(EXIT.TRANSLATE);
      expect([m.get('rip'), m.get('cc_op')]).toEqual([BigInt(A + 99), cc ? 14n : 3n]);
    }
  });
});

describe('ops together', () => {
  test.each([5n, -0x8000n, 0x8000n, WIDE, undefined])('compare with %p', (k) => {
    m.set('rcx', 0x1111n);
    m.set('rdx', 0x2222n);
    const keys = run((b) => {
      const right = k === undefined ? G.reg(2) : b.i64(k);
      b.emit('sub_i64', [G.ccDst, G.reg(1), right]);
      b.emit('mov_i64', [G.ccSrc, right]);
    });
    expect(keys).toHaveLength(2);
    const right = k ?? 0x2222n;
    expect(m.get('cc_dst')).toBe(BigInt.asUintN(64, 0x1111n - right));
    expect(m.get('cc_src')).toBe(BigInt.asUintN(64, right));
  });

  test('what looks like a compare but is none', () => {
    m.set('rcx', 100n);
    m.set('cc_dst', 7n);
    const keys = run((b) => {
      b.emit('sub_i64', [G.ccDst, G.reg(1), G.ccDst]);
      b.emit('mov_i64', [G.ccSrc, G.ccDst]);
    });
    expect(keys).toEqual(['sub_i64', 'mov_i64', 'exit']);
    expect([m.get('cc_dst'), m.get('cc_src')]).toEqual([93n, 93n]);
  });

  const push = (b: IrBuilder, from: TempId, value: TempId): TempId => {
    const t = b.temp('i64');
    const h = b.temp('i32');
    b.emit('sub_i64', [t, from, b.i64(8)]);
    b.emit('guard_w', [h, t], [8]);
    b.emit('gst_i64', [h, value], [0]);
    b.emit('mov_i64', [G.reg(4), t]);
    b.free(h);
    return t;
  };
  const TOP = PAGE + 0x100;
  const stacked = (): bigint[] => [8, 16, 24].map((d) => read(TOP - d, 64));

  test('pushes in a row, each from the address of the last one', () => {
    m.set('rsp', BigInt(TOP));
    ['rcx', 'rdx', 'rbx'].forEach((name, i) => {
      m.set(name, BigInt(i + 1));
    });
    const keys = run((b) => {
      const first = push(b, G.reg(4), G.reg(1));
      const second = push(b, first, G.reg(2));
      const third = push(b, second, G.reg(3));
      for (const t of [first, second, third]) b.free(t);
    });
    expect(keys).toEqual(['gst_i64+push', 'gst_i64+push', 'gst_i64+push', 'exit']);
    expect(stacked()).toEqual([1n, 2n, 3n]);
    expect(m.get('rsp')).toBe(BigInt(TOP - 24));
  });

  test('push of the stack pointer stores what it was', () => {
    m.set('rsp', BigInt(TOP));
    run((b) => {
      b.free(push(b, G.reg(4), G.reg(4)));
    });
    expect(read(TOP - 8, 64)).toBe(BigInt(TOP));
  });

  test('the address of a push stays readable after the register has changed', () => {
    m.set('rsp', BigInt(TOP));
    const keys = run((b) => {
      const t = push(b, G.reg(4), G.reg(1));
      b.emit('add_i64', [G.reg(4), G.reg(4), b.i64(1000)]);
      b.emit('st_i64', [t], [OUT]);
      b.free(t);
    });
    expect(keys).not.toContain('gst_i64+push');
    expect(read(m.cpu + OUT, 64)).toBe(BigInt(TOP - 8));
    expect(m.get('rsp')).toBe(BigInt(TOP + 992));
  });

  test('pops, of the stack pointer too', () => {
    write(TOP, 0x1234n);
    m.set('rsp', BigInt(TOP));
    const pop = (b: IrBuilder, to: TempId): void => {
      const h = b.temp('i32');
      b.emit('guard_r', [h, G.reg(4)], [8]);
      b.emit('gld_i64', [to, h], [0]);
      b.emit('add_i64', [G.reg(4), G.reg(4), b.i64(8)]);
      b.free(h);
    };
    const keys = run((b) => {
      pop(b, G.reg(0));
    });
    expect(keys).toEqual(['gld_i64+pop', 'exit']);
    expect([m.get('rax'), m.get('rsp')]).toEqual([0x1234n, BigInt(TOP + 8)]);
    m.set('rsp', BigInt(TOP));
    run((b) => {
      pop(b, G.reg(4));
    });
    expect(m.get('rsp')).toBe(0x123cn);
  });

  test('a value that is the address itself', () => {
    m.set('rcx', BigInt(TOP));
    run((b) => {
      const t = b.temp('i64');
      const h = b.temp('i32');
      b.emit('add_i64', [t, G.reg(1), b.i64(8)]);
      b.emit('guard_w', [h, t], [8]);
      b.emit('gst_i64', [h, t], [0]);
      b.free(t);
      b.free(h);
    });
    expect(read(TOP + 8, 64)).toBe(BigInt(TOP + 8));
  });
});

describe('the frame', () => {
  test('holds hundreds of temps, and gives their slots to others', () => {
    const count = 600;
    run((b) => {
      for (let round = 0; round < 4; round++) {
        const temps = Array.from({ length: count }, (_, i) => {
          const t = b.temp('i64');
          b.emit('mov_i64', [t, b.i64(i * 3 + round)]);
          return t;
        });
        const sum = b.temp('i64', 'tb');
        b.emit('mov_i64', [sum, b.i64(0)]);
        for (const t of temps) b.emit('add_i64', [sum, sum, t]);
        b.emit('st_i64', [sum], [OUT + 8 * round]);
        for (const t of [...temps, sum]) b.free(t);
      }
    });
    for (let round = 0; round < 4; round++)
      expect(read(m.cpu + OUT + 8 * round, 64)).toBe(BigInt((3 * count * (count - 1)) / 2 + count * round));
  });

  test('that overflows is an error with the pc', () => {
    const tb = singleTb(A, (b) => {
      const temps = Array.from({ length: 1600 }, () => {
        const t = b.temp('v128');
        b.emit('ld_v128', [t], [AREA]);
        return t;
      });
      for (const t of temps) b.emit('st_v128', [t], [OUT]);
      for (const t of temps) b.free(t);
    });
    expect(() => m.add(tb)).toThrow(/a TB needs 25600 bytes of temps/);
  });

  test('keeps v128 temps at multiples of 16 beside small ones', () => {
    write(m.cpu + AREA, WIDE);
    run((b) => {
      const small = b.temp('i32');
      b.emit('mov_i32', [small, b.i32(77)]);
      const wide = b.temp('v128');
      b.emit('ld_v128', [wide], [AREA]);
      const other = b.temp('i32');
      b.emit('mov_i32', [other, b.i32(88)]);
      b.emit('st_v128', [wide], [OUT]);
      b.emit('add_i32', [small, small, other]);
      b.emit('st_i32', [small], [OUT + 16]);
      for (const t of [small, wide, other]) b.free(t);
    });
    expect(read(m.cpu + OUT, 128)).toBe(WIDE);
    expect(m.i32(OUT + 16)).toBe(165);
  });
});

describe('the opcode list', () => {
  test('atomics and guards are reached', () => {
    m.set('rcx', BigInt(PAGE));
    for (const def of OP_LIST.filter((d) => /^(atomic|guard)_|^fence$|^align_check$/.test(d.name))) {
      run((b) => {
        const h = b.temp('i32');
        b.emit('guard_rw', [h, G.reg(1)], [8]);
        if (def.name.startsWith('guard_')) {
          b.emit(def.name, [h, G.reg(1)], [8]);
          b.emit('st_i32', [h], [OUT]);
        } else if (def.name === 'fence') b.emit('fence', []);
        else if (def.name === 'align_check') b.emit(def.name, [G.reg(1)], [16]);
        else {
          const t = b.temp('i64');
          b.emit(def.name, [t, h, ...def.ins.slice(1).map(() => G.reg(2))]);
          b.free(t);
        }
        b.free(h);
      });
    }
  });

  test('has no opcode that these tests do not reach, but for helpers and joined ones (joined-ops.test.ts)', () => {
    const missing = opcodes()
      .filter((o) => o.helper === undefined && o.joined === undefined && !reached.has(o.key))
      .map((o) => o.key);
    expect(missing).toEqual([]);
  });

  test('keys are unique, and the core was built for them', () => {
    expect(new Set(opcodes().map((o) => o.key)).size).toBe(opcodes().length);
    expect((m.core.exports['bytecodeFingerprint'] as () => number)()).toBe(bytecodeFingerprint());
    expect(() => {
      checkBytecode({ ...m.core, bytecodeFingerprint: () => bytecodeFingerprint() ^ 1 });
    }).toThrow('npm run build');
  });
});
