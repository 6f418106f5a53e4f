/** ELF files: real ones as readelf and nm see them, and every kind of broken one with its message. */
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramError } from '../../src/base/errors.js';
import { type Elf, parseElf } from '../../frontend/elf/elf.js';
import { buildIdOf } from '../../frontend/elf/build-id.js';
import { hasFullSymbols, readSymbols } from '../../frontend/elf/symbols.js';
import { makeElf, PT, text } from '../support/elf-maker.js';
import { runElfFuzz } from '../fuzz/elf-fuzz.js';

const BIN = join('examples', 'bin');
const programs = readdirSync(BIN)
  .map((name) => join(BIN, name))
  .filter((path) => statSync(path).isFile())
  .concat(['/bin/ls', '/lib64/ld-linux-x86-64.so.2'].filter((path) => existsSync(path)));

function tool(name: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(name, args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 });
  } catch {
    return undefined;
  }
}
/** Skipped where binutils are not installed. */
const withTools = tool('readelf', '--version') === undefined ? test.skip : test;

describe('real programs', () => {
  withTools.each(programs)('%s as readelf -lW shows it', (path) => {
    const elf = parseElf(readFileSync(path), path);
    const out = tool('readelf', '-lWh', path) ?? '';
    const flags = (f: number): string => `${f & 4 ? 'R' : ' '}${f & 2 ? 'W' : ' '}${f & 1 ? 'E' : ' '}`;
    const loads = [...out.matchAll(/^ +LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+) (...) 0x(\w+)/gm)].map(
      (m) =>
        [...m.slice(1, 5), m[6]]
          .map((h) => parseInt(h ?? '', 16))
          .concat([])
          .join() + (m[5] ?? ''),
    );
    expect(
      elf.segments.map((s) => [s.offset, s.address, s.fileSize, s.memorySize, s.align].join() + flags(s.flags)),
    ).toEqual(loads);
    expect(elf.interpreter).toBe(/interpreter: (.*)\]/.exec(out)?.[1]);
    expect(elf.entry).toBe(parseInt(/Entry point address: +0x(\w+)/.exec(out)?.[1] ?? '', 16));
    expect(elf.type).toBe(/Type: +(\w+)/.exec(out)?.[1] === 'EXEC' ? 'exec' : 'dyn');
    expect(elf.phdr.count).toBe(Number(/Number of program headers: +(\d+)/.exec(out)?.[1]));
    const stack = /GNU_STACK.*0x000000 (...) 0x/.exec(out)?.[1];
    expect(elf.execStack).toBe(stack?.includes('E') ?? false);
  });

  withTools('symbols of the static example as nm shows them', () => {
    const path = join(BIN, 'clone-static');
    const symbols = readSymbols(readFileSync(path));
    const rows = [...(tool('nm', '-S', path) ?? '').matchAll(/^(\w{16}) (\w{16}) [TtWwi] (\S+)$/gm)];
    expect(rows.length).toBeGreaterThan(1000);
    for (const [, address, size, name] of rows) {
      if (name === undefined || name.includes('.')) continue;
      const at = parseInt(address ?? '', 16);
      const s = symbols.at(at);
      expect([name, s?.address, s?.size === parseInt(size ?? '', 16) || s?.name !== name]).toEqual([name, at, true]);
    }
    const main = symbols.named('main');
    expect(main).toBeDefined();
    if (main === undefined) return;
    expect(symbols.at(main.address + main.size - 1)?.name).toBe('main');
    expect(symbols.endOf(main)).toBe(main.address + main.size);
    expect(symbols.at(0x10)).toBeUndefined();
    expect(symbols.named('no such function')).toBeUndefined();
  });

  withTools('the build ID as readelf shows it', () => {
    const path = '/lib/x86_64-linux-gnu/libc.so.6';
    const id = /Build ID: (\w+)/.exec(tool('readelf', '-n', path) ?? '')?.[1];
    expect(id).toBeDefined();
    expect(buildIdOf(readFileSync(path))).toBe(id);
    expect(buildIdOf(readFileSync(join(BIN, 'clone-static')))).toBeUndefined();
    expect(hasFullSymbols(readFileSync(path))).toBe(false);
    expect(hasFullSymbols(readFileSync(join(BIN, 'clone-static')))).toBe(true);
  });

  test('a stripped shared program has its dynamic symbols', () => {
    const symbols = readSymbols(readFileSync('/lib/x86_64-linux-gnu/libc.so.6'));
    const malloc = symbols.named('malloc');
    expect(malloc === undefined ? '' : symbols.at(malloc.address + 1)?.name).toMatch(/malloc/);
  });
});

describe('bad files', () => {
  const message = (file: Uint8Array): string => {
    try {
      parseElf(file, 'prog');
    } catch (e) {
      if (!(e instanceof ProgramError)) throw e;
      expect(e.exitCode).toBe(126);
      return e.message;
    }
    return 'accepted';
  };
  const load = (over: object): Uint8Array => makeElf({ phdrs: [{ ...text(), ...over }] });

  test.each([
    ['empty', new Uint8Array(0), 'empty file, not an ELF program'],
    ['text', Buffer.from('hello, I am no program\n'), 'not an ELF program'],
    ['short text', Buffer.from('hi'), 'not an ELF program'],
    ['a cut ELF header', makeElf({ phdrs: [text()] }).subarray(0, 40), 'truncated ELF header: 40 of 64 bytes'],
    [
      '32 bits',
      makeElf({ phdrs: [text()], patches: [[4, '\x01']] }),
      '32-bit ELF program; lift64 runs 64-bit x86-64 programs',
    ],
    ['no class', makeElf({ phdrs: [text()], patches: [[4, '\x07']] }), 'unknown ELF class 7'],
    [
      'big-endian',
      makeElf({ phdrs: [text()], patches: [[5, '\x02']] }),
      'big-endian ELF program; lift64 runs x86-64 programs',
    ],
    ['version', makeElf({ phdrs: [text()], patches: [[6, '\x09']] }), 'unknown ELF version 9'],
    ['AArch64', makeElf({ machine: 183, phdrs: [text()] }), 'ELF program for AArch64, not x86-64'],
    ['ARM', makeElf({ machine: 40, phdrs: [text()] }), 'ELF program for ARM, not x86-64'],
    ['another machine', makeElf({ machine: 777, phdrs: [text()] }), 'ELF program for machine 777, not x86-64'],
    ['an object file', makeElf({ type: 1, phdrs: [text()] }), 'ELF object file, not linked'],
    ['a core dump', makeElf({ type: 4, phdrs: [text()] }), 'core dump, not a program'],
    ['an unknown type', makeElf({ type: 99, phdrs: [text()] }), 'unknown ELF type 99'],
    ['no program headers', makeElf({ phdrs: [] }), 'no program headers'],
    [
      'program headers of another size',
      makeElf({ phdrs: [text()], patches: [[54, '\x20']] }),
      'program headers of 32 bytes, not 56',
    ],
    ['absurdly many', makeElf({ phdrs: [text()], patches: [[56, '\xff\xff']] }), '65535 program headers'],
    [
      'headers past the end',
      makeElf({ phdrs: [text()], patches: [[32, '\0\0\x01']] }),
      'truncated: the program headers lie beyond the end of the file',
    ],
    [
      'headers at an absurd offset',
      makeElf({ phdrs: [text()], patches: [[32, '\xff\xff\xff\xff\xff\xff\xff\xff']] }),
      'truncated: the program headers lie beyond the end of the file',
    ],
    ['no PT_LOAD', makeElf({ phdrs: [{ type: PT.GNU_STACK }] }), 'no PT_LOAD segment'],
    ['empty PT_LOAD', load({ filesz: 0 }), 'no PT_LOAD segment'],
    ['past the file', load({ filesz: 8193 }), 'PT_LOAD segment 0 lies beyond the end of the file'],
    [
      'past the file by an offset that wraps',
      load({ offset: 4096, filesz: 2n ** 64n - 4096n, memsz: 2n ** 64n - 1n }),
      'PT_LOAD segment 0 lies beyond the end of the file',
    ],
    ['smaller in memory', load({ memsz: 100 }), 'PT_LOAD segment 0 has more bytes in the file than in memory'],
    [
      'outside of the 47 bits',
      load({ vaddr: 2n ** 47n }),
      'PT_LOAD segment 0 at 0x800000000000 is outside of the 47-bit address space',
    ],
    [
      'across the 47 bits',
      load({ vaddr: 2n ** 47n - 4096n, memsz: 8192 }),
      'PT_LOAD segment 0 at 0x7ffffffff000 is outside of the 47-bit address space',
    ],
    ['alignment', load({ align: 4097 }), 'PT_LOAD segment 0 has alignment 4097, which is no power of two below 2**47'],
    [
      'alignment out of all bounds',
      load({ align: 2n ** 60n }),
      'PT_LOAD segment 0 has alignment 1152921504606847000, which is no power of two below 2**47',
    ],
    [
      'offset and address',
      load({ vaddr: 0x40_0010 }),
      'PT_LOAD segment 0: address and file offset differ within a page',
    ],
    [
      'overlap',
      makeElf({ phdrs: [text(), { type: PT.LOAD, vaddr: 0x40_0000, filesz: 8 }] }),
      'PT_LOAD segments at 0x400000 and 0x400000 overlap',
    ],
    [
      'overlap of a larger one',
      makeElf({
        phdrs: [
          { ...text(), memsz: 0x10_0000 },
          { type: PT.LOAD, vaddr: 0x48_0000, filesz: 8 },
        ],
      }),
      'PT_LOAD segments at 0x400000 and 0x480000 overlap',
    ],
    [
      'entry',
      makeElf({ entry: 2n ** 47n, phdrs: [text()] }),
      'entry point 0x800000000000 is outside of the 47-bit address space',
    ],
    [
      'PT_INTERP without an end',
      makeElf({ phdrs: [text(), { type: PT.INTERP, offset: 600, filesz: 8 }] }),
      'PT_INTERP is not terminated',
    ],
    [
      'PT_INTERP past the file',
      makeElf({ phdrs: [text(), { type: PT.INTERP, offset: 8190, filesz: 8 }] }),
      'PT_INTERP has a bad size',
    ],
    [
      'PT_INTERP of no bytes',
      makeElf({ phdrs: [text(), { type: PT.INTERP, offset: 600, filesz: 1 }] }),
      'PT_INTERP has a bad size',
    ],
    [
      'PT_INTERP of 5000 bytes',
      makeElf({ phdrs: [text(), { type: PT.INTERP, offset: 600, filesz: 5000 }] }),
      'PT_INTERP has a bad size',
    ],
  ])('%s', (_name, file, expected) => {
    const got = message(file);
    expect(got).toBe(`prog: ${expected}`);
    expect(got).not.toContain('\n');
  });

  test('what a loader may need is there', () => {
    const elf: Elf = parseElf(
      makeElf({
        type: 3,
        entry: 0x1100,
        phdrs: [
          { type: PT.INTERP, offset: 1000, filesz: 7 },
          { type: PT.LOAD, vaddr: 0x20_1000, offset: 4096, filesz: 100, memsz: 5000, flags: 6, align: 0x20_0000 },
          { type: PT.LOAD, vaddr: 0, filesz: 4096 },
          { type: PT.GNU_STACK, flags: 7 },
        ],
        patches: [[1000, '/ld.so\0']],
      }),
      'prog',
    );
    expect(elf).toEqual({
      type: 'dyn',
      entry: 0x1100,
      segments: [
        { address: 0, offset: 0, fileSize: 4096, memorySize: 4096, flags: 5, align: 4096 },
        { address: 0x20_1000, offset: 4096, fileSize: 100, memorySize: 5000, flags: 6, align: 0x20_0000 },
      ],
      interpreter: '/ld.so',
      phdr: { address: 64, count: 4, size: 56 },
      execStack: true,
    });
  });
});

test('mutated headers never crash the loader', () => {
  const r = runElfFuzz(64, 10_000);
  expect(r.failures).toEqual([]);
  expect(r.rejected).toBeGreaterThan(2000);
  expect(r.loaded).toBeGreaterThan(2000);
  expect(r.slowest).toBeLessThan(10_000);
});
