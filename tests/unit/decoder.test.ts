/** The decoder by example: prefixes, address forms, immediates, errors, tables. Source: Intel SDM 2A, section 2.1; expected values worked out by hand. */
import { describe, expect, test } from '@jest/globals';
import { allRows, createDecoder, decode, isInsn, mnemonicOf, rowKey } from '../../frontend/x86-64/decoder.js';
import { OPCODE_MAPS, parseEncoding } from '../../frontend/x86-64/encoding.js';
import type { DecodeError, Feature, Insn, InsnRow, Operand } from '../../frontend/x86-64/insn.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';

const ADDR = 0x401000;

/** Bytes in hex behind which more readable bytes follow. */
function read(hex: string, addr = ADDR): Insn | DecodeError {
  const bytes = new Uint8Array(32);
  bytes.set(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return decode({ bytes, base: addr, readable: () => 32 }, addr);
}

function insn(hex: string, addr = ADDR): Insn {
  const result = read(hex, addr);
  if (!isInsn(result)) throw new Error(`${hex}: ${result.kind}`);
  return result;
}

const kindOf = (hex: string): string => {
  const result = read(hex);
  return isInsn(result) ? 'valid' : result.kind;
};

const gpr = (reg: number, size: 1 | 2 | 4 | 8, high8 = false): Operand => ({ kind: 'gpr', reg, size, high8 });
const imm = (value: bigint, size: number): Operand => ({ kind: 'imm', value, size });

describe('operands', () => {
  test('byte registers: ah without REX, spl with it', () => {
    expect(insn('88 e0').operands).toEqual([gpr(0, 1), gpr(0, 1, true)]);
    expect(insn('40 88 e0').operands).toEqual([gpr(0, 1), gpr(4, 1)]);
    expect(insn('44 88 e0').operands).toEqual([gpr(0, 1), gpr(12, 1)]);
  });

  test('base, index, scale and displacement', () => {
    expect(insn('4a 8b 84 b3 f8 ff ff ff').operands).toEqual([
      gpr(0, 8),
      { kind: 'mem', base: 3, index: 14, scale: 4, disp: -8n, seg: 'ds', addrSize: 8, size: 8 },
    ]);
    // rsp as index is none; r13 as base needs a displacement, and has segment ds.
    expect(insn('8b 04 24').operands[1]).toMatchObject({ base: 4, index: -1, disp: 0n, seg: 'ss' });
    expect(insn('41 8b 45 10').operands[1]).toMatchObject({ base: 13, index: -1, disp: 16n, seg: 'ds' });
    expect(insn('8b 04 25 00 00 00 80').operands[1]).toMatchObject({ base: -1, index: -1, disp: -0x80000000n });
  });

  test('rip-relative addresses arrive resolved, immediates counted in', () => {
    expect(insn('8b 05 10 00 00 00').operands[1]).toMatchObject({ base: -1, disp: BigInt(ADDR + 6 + 0x10) });
    expect(insn('c7 05 f0 ff ff ff 01 00 00 00').operands).toEqual([
      { kind: 'mem', base: -1, index: -1, scale: 1, disp: BigInt(ADDR + 10 - 0x10), seg: 'ds', addrSize: 8, size: 4 },
      imm(1n, 4),
    ]);
    expect(insn('67 8b 05 00 00 00 00', 0xffff_fffe).operands[1]).toMatchObject({ disp: 5n, addrSize: 4 });
  });

  test('fs and gs count, and the last of them; the others do nothing', () => {
    expect(insn('64 8b 00').operands[1]).toMatchObject({ seg: 'fs' });
    expect(insn('64 65 3e 8b 00').operands[1]).toMatchObject({ seg: 'gs' });
    expect(insn('36 8b 00').operands[1]).toMatchObject({ seg: 'ds' });
    expect(insn('64 a5').operands).toMatchObject([
      { seg: 'es', base: 7 },
      { seg: 'fs', base: 6 },
    ]);
  });

  test('immediates', () => {
    expect(insn('48 c7 c0 ff ff ff ff').operands[1]).toEqual(imm(-1n, 8));
    expect(insn('48 b8 ef cd ab 89 67 45 23 f1').operands[1]).toEqual(imm(BigInt.asIntN(64, 0xf1234567_89abcdefn), 8));
    expect(insn('66 83 c0 80').operands[1]).toEqual(imm(-128n, 2));
    expect(insn('c0 e0 ff').operands[1]).toEqual(imm(255n, 1));
    expect(insn('c8 00 80 ff').operands).toEqual([imm(0x8000n, 2), imm(255n, 1)]);
    expect(insn('d1 e0').operands[1]).toEqual(imm(1n, 1));
    expect(insn('48 a1 88 77 66 55 44 33 22 11').operands[1]).toMatchObject({
      base: -1,
      disp: 0x1122334455667788n,
      size: 8,
    });
  });

  test('branch targets wrap modulo 2^64', () => {
    expect(insn('eb fe').operands).toEqual([{ kind: 'rel', target: BigInt(ADDR) }]);
    expect(insn('e9 00 00 00 80', 0x1000).operands).toEqual([
      { kind: 'rel', target: 2n ** 64n + 0x1005n - 0x80000000n },
    ]);
  });
});

describe('prefixes', () => {
  test('REX counts only directly before the opcode', () => {
    expect(insn('48 66 89 c8')).toMatchObject({ length: 4, opSize: 2 });
    expect(insn('66 48 89 c8')).toMatchObject({ length: 4, opSize: 8 });
  });

  test('F2 and F3 go before 66 as mandatory prefixes, the last of them first', () => {
    expect(mnemonicOf(insn('66 f2 0f 58 c1'))).toBe('addsd');
    expect(mnemonicOf(insn('f3 f2 66 0f 58 c1'))).toBe('addsd');
    expect(mnemonicOf(insn('f2 f3 0f 58 c1'))).toBe('addss');
    expect(insn('66 f3 0f b8 c1')).toMatchObject({ opSize: 2, rep: 0 });
  });

  test('repeat prefixes of string instructions', () => {
    expect(insn('f3 a4').rep).toBe(0xf3);
    expect(insn('f3 f2 a6').rep).toBe(0xf2);
    expect(insn('a4').rep).toBe(0);
  });

  test('LOCK is valid only where it is allowed and the destination is memory', () => {
    expect(insn('f0 01 08').lock).toBe(true);
    for (const hex of ['f0 01 c8', 'f0 03 08', 'f0 90', 'f0 39 08', 'f0 0f a3 08', 'f0 89 08'])
      expect(kindOf(hex)).toBe('invalid');
  });

  test('xchg r8, nop and pause', () => {
    expect(mnemonicOf(insn('90'))).toBe('nop');
    expect(mnemonicOf(insn('f3 90'))).toBe('pause');
    expect(insn('49 90').operands).toEqual([gpr(8, 8), gpr(0, 8)]);
    expect(insn('f3 41 90').operands).toEqual([gpr(8, 4), gpr(0, 4)]);
  });

  test('near branches ignore 66; push and pop take it', () => {
    expect(insn('66 e8 00 00 00 00')).toMatchObject({ length: 6, opSize: 8 });
    expect(insn('66 50')).toMatchObject({ opSize: 2, operands: [gpr(0, 2)] });
    expect(insn('50')).toMatchObject({ opSize: 8, operands: [gpr(0, 8)] });
  });

  test('names that depend on the operand size', () => {
    expect(['66 98', '98', '48 98'].map((hex) => mnemonicOf(insn(hex)))).toEqual(['cbw', 'cwde', 'cdqe']);
    expect(['66 9c', '9c'].map((hex) => mnemonicOf(insn(hex)))).toEqual(['pushf', 'pushfq']);
  });
});

describe('VEX', () => {
  const vec = (reg: number, size: number): Operand => ({ kind: 'xmm', reg, size });

  test('both forms, the length, registers from R, B and vvvv', () => {
    expect(insn('c5 f5 fc c2')).toMatchObject({ vexL: 256, length: 4, operands: [vec(0, 32), vec(1, 32), vec(2, 32)] });
    expect(insn('c4 41 29 fc fb')).toMatchObject({ vexL: 128, operands: [vec(15, 16), vec(10, 16), vec(11, 16)] });
    expect(insn('c4 a1 7e 6f 44 b3 08').operands[1]).toMatchObject({
      base: 3,
      index: 14,
      scale: 4,
      disp: 8n,
      size: 32,
    });
    expect(insn('f3 41 0f 6f 00').vexL).toBe(0);
  });

  test('a register in the immediate; sizes that are a share of the vector', () => {
    expect(insn('c4 e3 75 4a c2 5f').operands[3]).toEqual(vec(5, 32));
    expect(insn('c4 e2 7d 32 00').operands).toMatchObject([vec(0, 32), { kind: 'mem', size: 4 }]);
    expect(insn('c4 e2 79 32 00').operands).toMatchObject([vec(0, 16), { kind: 'mem', size: 2 }]);
  });

  test('gathers: a vector of indices', () => {
    expect(insn('c4 e2 6d 92 04 e3').operands).toMatchObject([
      vec(0, 32),
      { kind: 'vsib', base: 3, index: 4, indexSize: 32, indexBits: 32, scale: 8, size: 4 },
      vec(2, 32),
    ]);
    expect(insn('c4 e2 ed 92 04 e3').operands[1]).toMatchObject({ indexSize: 16, size: 8 });
    // The same register twice; no SIB byte.
    expect(kindOf('c4 e2 6d 92 04 d3')).toBe('invalid');
    expect(kindOf('c4 e2 6d 92 03')).toBe('invalid');
  });

  test('what is no instruction: 66, F2, F3, LOCK or REX before VEX, a register in vvvv that is not used, maps and lengths without rows', () => {
    for (const prefix of ['66', 'f2', 'f3', 'f0', '41']) expect(kindOf(`${prefix} c5 f5 fc c2`)).toBe('invalid');
    for (const prefix of ['64', '67', '2e', '41 2e']) expect(kindOf(`${prefix} c5 f5 fc c2`)).toBe('valid');
    expect(kindOf('c5 fd 6f c1')).toBe('valid');
    expect(kindOf('c5 f5 6f c1')).toBe('invalid');
    expect(kindOf('c4 e0 75 fc c2')).toBe('invalid');
    expect(kindOf('c4 e4 75 fc c2')).toBe('invalid');
    expect(kindOf('c4 e2 79 16 c2')).toBe('invalid');
  });
});

describe('errors', () => {
  test('what 64-bit mode took away, and registers that do not exist', () => {
    for (const hex of [
      '06',
      '27',
      '60',
      '82 c0 01',
      '9a',
      'c4 00',
      'ce',
      'd4',
      'd6',
      'ea',
      '8e c8',
      '8c f0',
      '0f 20 c8',
      '8d c0',
      'c6 c8 00',
    ]) {
      expect({ hex, result: kindOf(hex) }).toEqual({ hex, result: 'invalid' });
    }
  });

  test('15 bytes are an instruction, 16 are too long', () => {
    expect(insn(`${'66'.repeat(14)} 90`).length).toBe(15);
    expect(read(`${'66'.repeat(15)} 90`)).toEqual({ kind: 'too-long', addr: ADDR, length: 15 });
    expect(kindOf(`${'2e'.repeat(10)} 48 81 05 00 00 00 00 00 00 00 00`)).toBe('too-long');
  });

  test('a page that ends says where', () => {
    const bytes = Uint8Array.from([0x48, 0x8b, 0x05, 0x00]);
    const result = decode({ bytes, base: ADDR, readable: (addr) => ADDR + 4 - addr }, ADDR);
    expect(result).toEqual({ kind: 'truncated', addr: ADDR, at: ADDR + 4 });
    expect(decode({ bytes, base: ADDR, readable: () => 0 }, ADDR)).toEqual({ kind: 'truncated', addr: ADDR, at: ADDR });
  });

  test('a reader may move its window when asked what is readable', () => {
    const reader = {
      bytes: new Uint8Array(0),
      base: 0,
      readable(addr: number): number {
        this.bytes = Uint8Array.from([0x0f, 0x05]);
        this.base = addr;
        return 2;
      },
    };
    expect(decode(reader, 0x7fff_1234_5678)).toMatchObject({ addr: 0x7fff_1234_5678, length: 2 });
  });
});

describe('tables', () => {
  const everyFeature = new Set<Feature>(allRows().map((row) => row.feature));

  test('no two rows claim the same bytes, and keys are unique', () => {
    const tables = new DispatchTables(allRows());
    let slots = 0;
    for (let map = 0; map < OPCODE_MAPS.length; map++)
      for (let opcode = 0; opcode < 256; opcode++) if (tables.slot(map, opcode) !== null) slots++;
    expect(slots).toBeGreaterThan(400);
    expect(new Set(allRows().map(rowKey)).size).toBe(allRows().length);
  });

  test('a CPU without BMI1 runs F3 0F BC as bsf, one without SSE2 has no movdqa', () => {
    const without = (feature: Feature, hex: string): Insn | DecodeError => {
      const features = new Set([...everyFeature].filter((other) => other !== feature));
      const bytes = new Uint8Array(16);
      bytes.set(Buffer.from(hex, 'hex'));
      return createDecoder(new DispatchTables(allRows(), features))({ bytes, base: 0, readable: () => 16 }, 0);
    };
    expect(mnemonicOf(insn('f3 0f bc c1'))).toBe('tzcnt');
    expect(without('bmi1', 'f30fbcc1')).toMatchObject({ row: { mnemonic: 'bsf' }, rep: 0xf3 });
    expect(without('sse2', '660f6fc1')).toMatchObject({ kind: 'invalid' });
    expect(without('sse', '660f6fc1')).toMatchObject({ row: { mnemonic: 'movdqa' } });
  });

  test('a malformed row is named', () => {
    const tables = (...rows: InsnRow[]): (() => unknown) => {
      return () => new DispatchTables(rows).slot(0, 0x90);
    };
    const row: InsnRow = { enc: '90', mnemonic: 'x', operands: '', feature: 'base' };
    expect(tables(row, { ...row, mnemonic: 'y' })).toThrow("rows '90' y and '90' claim the same bytes");
    expect(tables({ ...row, operands: 'Kv' })).toThrow("no operand code 'Kv'");
    expect(tables({ ...row, operands: 'Gps' })).toThrow("no size of a general register: 'ps'");
    expect(tables({ ...row, enc: '90 /9' })).toThrow("'/9' is not a ModRM form");
    expect(() => parseEncoding({ ...row, enc: 'VEX.512.0F 90 /r' })).toThrow("'512' in VEX");
    expect(() => parseEncoding({ ...row, enc: 'VEX.128 90 /r' })).toThrow('no opcode map in VEX');
    expect(tables(row, { ...row, enc: '90 /r' })).toThrow('only some rows of this opcode have ModRM');
  });
});
