/** The ELF parser: what it reads of a good file, each of its messages, and 10,000 mutated files. */
import { describe, expect, test } from '@jest/globals';
import { parseElf } from '../../frontend/elf/elf.js';
import { readSymbols } from '../../frontend/elf/symbols.js';
import { EXIT_NOT_EXECUTABLE, ProgramError } from '../../src/base/errors.js';
import { fuzzElf, fuzzOriginal } from '../fuzz/elf-fuzz.js';

const HEADERS = 64;
const PHDR = 56;
const FILE_SIZE = 0x1000;

interface Phdr {
  readonly type?: number;
  readonly flags?: number;
  readonly offset?: number | bigint;
  readonly address?: number | bigint;
  readonly fileSize?: number | bigint;
  readonly memorySize?: number | bigint;
  readonly align?: number | bigint;
}

/** A file of FILE_SIZE bytes with these program headers; `change` edits it. */
function elf(phdrs: readonly Phdr[], change: (v: DataView) => void = () => undefined): Uint8Array {
  const v = new DataView(new ArrayBuffer(FILE_SIZE));
  v.setUint32(0, 0x7f454c46, false);
  v.setUint8(4, 2);
  v.setUint8(5, 1);
  v.setUint8(6, 1);
  v.setUint16(16, 2, true);
  v.setUint16(18, 62, true);
  v.setBigUint64(24, 0x400100n, true);
  v.setBigUint64(32, BigInt(HEADERS), true);
  v.setUint16(54, PHDR, true);
  v.setUint16(56, phdrs.length, true);
  phdrs.forEach((p, i) => {
    const at = HEADERS + i * PHDR;
    v.setUint32(at, p.type ?? 1, true);
    v.setUint32(at + 4, p.flags ?? 5, true);
    const fields = [
      p.offset ?? 0,
      p.address ?? 0x400000,
      0,
      p.fileSize ?? 0x200,
      p.memorySize ?? 0x200,
      p.align ?? 4096,
    ];
    fields.forEach((value, n) => {
      v.setBigUint64(at + 8 + n * 8, BigInt(value), true);
    });
  });
  change(v);
  return new Uint8Array(v.buffer);
}

const load = elf([{}]);
const header = (change: (v: DataView) => void): Uint8Array => elf([{}], change);
const INTERP = 3;

const MESSAGES: readonly (readonly [string, Uint8Array])[] = [
  ['empty file, not an ELF program', new Uint8Array(0)],
  ['not an ELF program', new Uint8Array(3)],
  ['not an ELF program', new Uint8Array(200)],
  ['truncated ELF header: 63 of 64 bytes', load.subarray(0, 63)],
  ['32-bit ELF program; lift64 runs 64-bit x86-64 programs', header((v) => v.setUint8(4, 1))],
  ['unknown ELF class 3', header((v) => v.setUint8(4, 3))],
  ['big-endian ELF program; lift64 runs x86-64 programs', header((v) => v.setUint8(5, 2))],
  ['ELF program for ARM, not x86-64', header((v) => v.setUint16(18, 40, true))],
  ['ELF program for machine 999, not x86-64', header((v) => v.setUint16(18, 999, true))],
  ['unknown ELF version 2', header((v) => v.setUint8(6, 2))],
  ['ELF object file, not linked', header((v) => v.setUint16(16, 1, true))],
  ['core dump, not a program', header((v) => v.setUint16(16, 4, true))],
  ['unknown ELF type 9', header((v) => v.setUint16(16, 9, true))],
  ['no program headers', elf([])],
  ['program headers of 32 bytes, not 56', header((v) => v.setUint16(54, 32, true))],
  ['2000 program headers', header((v) => v.setUint16(56, 2000, true))],
  ['truncated: the program headers lie beyond the end of the file', load.subarray(0, 100)],
  [
    'truncated: the program headers lie beyond the end of the file',
    header((v) => v.setBigUint64(32, 0xffffffffffffffffn, true)),
  ],
  ['no PT_LOAD segment', elf([{ type: 6 }])],
  ['no PT_LOAD segment', elf([{ fileSize: 0, memorySize: 0 }])],
  ['PT_LOAD segment 0 has more bytes in the file than in memory', elf([{ fileSize: 0x201 }])],
  ['PT_LOAD segment 0 lies beyond the end of the file', elf([{ fileSize: 0x1001, memorySize: 0x1001 }])],
  ['PT_LOAD segment 0 at 0x800000000000 is outside of the 47-bit address space', elf([{ address: 1n << 47n }])],
  ['PT_LOAD segment 0 has alignment 3, which is no power of two below 2**47', elf([{ align: 3 }])],
  ['PT_LOAD segment 0: address and file offset differ within a page', elf([{ address: 0x400010 }])],
  ['PT_LOAD segments at 0x400000 and 0x401000 overlap', elf([{ memorySize: 0x1001 }, { address: 0x401000 }])],
  ['PT_INTERP has a bad size', elf([{}, { type: INTERP, fileSize: 1 }])],
  ['PT_INTERP has a bad size', elf([{}, { type: INTERP, offset: 1n << 63n }])],
  [
    'PT_INTERP is not terminated',
    elf([{}, { type: INTERP, offset: 0x300, fileSize: 2 }], (v) => v.setUint16(0x300, 0x2f2f)),
  ],
  [
    'entry point 0x800000000000 is outside of the 47-bit address space',
    header((v) => v.setBigUint64(24, 1n << 47n, true)),
  ],
];

describe('messages', () => {
  test.each(MESSAGES)('%s', (message, file) => {
    let caught: unknown;
    try {
      parseElf(file, 'prog');
    } catch (e) {
      caught = e;
    }
    expect(caught).toBeInstanceOf(ProgramError);
    expect(caught).toMatchObject({ message: `prog: ${message}`, exitCode: EXIT_NOT_EXECUTABLE });
  });
});

test('segments are sorted by address; interpreter, entry, headers and stack are read', () => {
  const file = elf(
    [
      { address: 0x500000, flags: 6, fileSize: 0, memorySize: 0x5000 },
      {},
      { type: INTERP, offset: 0x300, fileSize: 5 },
      { type: 0x6474e551, flags: 7 },
    ],
    (v) => {
      v.setUint16(16, 3, true);
      new Uint8Array(v.buffer).set(Buffer.from('/ld\0'), 0x300);
    },
  );
  const parsed = parseElf(file, 'prog');
  expect(parsed).toMatchObject({ type: 'dyn', entry: 0x400100, interpreter: '/ld', execStack: true });
  expect(parsed.phdr).toEqual({ address: 0x400040, count: 4, size: PHDR });
  expect(parsed.segments.map((s) => [s.address, s.fileSize, s.memorySize, s.flags])).toEqual([
    [0x400000, 0x200, 0x200, 5],
    [0x500000, 0, 0x5000, 6],
  ]);
});

test('symbols of a broken file: none', () => {
  expect(readSymbols(new Uint8Array(10)).all).toEqual([]);
  expect(readSymbols(load).all).toEqual([]);
  expect(readSymbols(header((v) => v.setBigUint64(40, 0xffffffffffffffffn, true))).all).toEqual([]);
});

test('10,000 mutated files: ProgramError alone', () => {
  const result = fuzzElf(fuzzOriginal(), 10_000, 1);
  expect(result.failures).toEqual([]);
  expect(result.parsed).toBeGreaterThan(100);
  expect(result.messages.size).toBeGreaterThan(10);
});
