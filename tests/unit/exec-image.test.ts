/** Program images: segments in memory, the initial stack and auxv, limits; interpreter scripts. */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseElf } from '../../frontend/elf/elf.js';
import { GUEST_END } from '../../src/guest/memory-map.js';
import { E2BIG, ELOOP, ENOEXEC, ENOMEM, EPERM } from '../../runtime/linux/errno.js';
import { type ImageFile, type ImageOptions, type LoadedImage, loadImage } from '../../runtime/process/exec-image.js';
import { parseShebang, resolveScript } from '../../runtime/process/exec-script.js';
import { makeElf, PT, text } from '../support/elf-maker.js';
import { makeSpace, PAGE, permsAt, type Space } from '../support/space.js';

const dir = mkdtempSync(join(tmpdir(), 'lift64-exec-'));
const opened: number[] = [];
afterAll(() => {
  for (const fd of opened) closeSync(fd);
  rmSync(dir, { recursive: true });
});
let s: Space;
beforeEach(() => {
  s = makeSpace();
});

function open(path: string): ImageFile {
  const hostFd = openSync(path, 'r');
  opened.push(hostFd);
  return { ...parseElf(readFileSync(path), path), hostFd, path, size: fstatSync(hostFd).size };
}
let number = 0;
function made(parts: Parameters<typeof makeElf>[0]): ImageFile {
  const path = join(dir, `program ${++number}`);
  writeFileSync(path, makeElf(parts));
  return open(path);
}
const RANDOM = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
function load(program: ImageFile, over: Partial<ImageOptions> = {}): LoadedImage | number {
  return loadImage(s.mm, s.bytes, {
    program,
    interpreter: undefined,
    argv: ['./prog', 'one', 'tw\xc3\xb6'],
    env: ['A=1', 'PATH=/bin'],
    execfn: './prog',
    stackSize: 8 << 20,
    random: RANDOM,
    ids: { uid: 1, euid: 2, gid: 3, egid: 4 },
    hwcap: 0x178bfbff,
    hwcap2: 2,
    ...over,
  });
}
function loaded(program: ImageFile, over: Partial<ImageOptions> = {}): LoadedImage {
  const image = load(program, over);
  if (typeof image === 'number') throw new Error(`errno ${-image}`);
  return image;
}

interface Start {
  readonly argv: string[];
  readonly env: string[];
  readonly auxv: Map<number, number>;
}
/** The stack as a program's first instruction finds it. */
function readStack(sp: number): Start {
  let at = sp;
  const word = (): number => {
    const v = s.mem.readU64(at);
    at += 8;
    if (v === undefined) throw new Error('outside of the stack');
    return Number(v);
  };
  const string = (addr: number): string => Buffer.from(s.mem.cstring(addr) ?? []).toString('latin1');
  const argc = word();
  const argv = Array.from({ length: argc }, () => string(word()));
  expect(word()).toBe(0);
  const env: string[] = [];
  for (let p = word(); p !== 0; p = word()) env.push(string(p));
  const auxv = new Map<number, number>();
  for (let type = word(); type !== 0; type = word()) auxv.set(type, word());
  return { argv, env, auxv };
}

describe('initial stack', () => {
  test('arguments, environment, auxv, alignment', () => {
    const program = open('examples/bin/clone-static');
    const image = loaded(program);
    expect(image.sp % 16).toBe(0);
    const { argv, env, auxv } = readStack(image.sp);
    expect(argv).toEqual(['./prog', 'one', 'tw\xc3\xb6']);
    expect(env).toEqual(['A=1', 'PATH=/bin']);
    const phdrs = program.phdr.address;
    expect(Object.fromEntries([...auxv].filter(([type]) => ![15, 25, 31, 33].includes(type)))).toEqual({
      3: phdrs, // PHDR
      4: 56, // PHENT
      5: program.phdr.count, // PHNUM
      6: 4096, // PAGESZ
      7: 0, // BASE
      8: 0, // FLAGS
      9: program.entry, // ENTRY
      11: 1, // UID
      12: 2, // EUID
      13: 3, // GID
      14: 4, // EGID
      16: 0x178bfbff, // HWCAP
      17: 100, // CLKTCK
      23: 0, // SECURE
      26: 2, // HWCAP2
      51: 2048, // MINSIGSTKSZ
    });
    // SYSINFO_EHDR: the vDSO.
    expect(Buffer.from(s.mem.read(auxv.get(33) ?? 0, 4) ?? []).toString('latin1')).toBe('\x7fELF');
    const string = (type: number): string => Buffer.from(s.mem.cstring(auxv.get(type) ?? 0) ?? []).toString('latin1');
    expect([string(15), string(31)]).toEqual(['x86_64', './prog']);
    expect(s.mem.read(auxv.get(25) ?? 0, 16)).toEqual(RANDOM);
    // The program headers are where AT_PHDR says.
    const file = readFileSync(program.path);
    const phoff = Number(file.readBigUInt64LE(32));
    expect(Buffer.from(s.mem.read(phdrs, 56) ?? [])).toEqual(file.subarray(phoff, phoff + 56));
    const { layout } = image;
    expect(Buffer.from(s.mem.read(layout.argStart, layout.argEnd - layout.argStart) ?? []).toString('latin1')).toBe(
      './prog\0one\0tw\xc3\xb6\0',
    );
    expect(Buffer.from(s.mem.read(layout.envStart, layout.envEnd - layout.envStart) ?? []).toString('latin1')).toBe(
      'A=1\0PATH=/bin\0',
    );
    expect(s.mem.readU64(layout.auxv + layout.auxvBytes - 16)).toBe(0n);
  });

  test.each([0, 1, 2, 3, 4, 5])('is aligned with %i arguments', (n) => {
    const image = loaded(open('examples/bin/hello'), {
      argv: Array.from({ length: n }, (_, i) => 'x'.repeat(i)),
      env: Array.from({ length: 5 - n }, () => 'E=e'),
    });
    expect(image.sp % 16).toBe(0);
    expect(readStack(image.sp)).toMatchObject({ argv: { length: n }, env: { length: 5 - n } });
  });

  test('is 8 MiB above a gap, or what is asked for; executable when the program wants that', () => {
    const stack = (): string =>
      s.mm
        .maps()
        .split('\n')
        .find((l) => l.includes('[stack]')) ?? '';
    loaded(open('examples/bin/hello'));
    expect(stack()).toMatch(/^df700000-dff00000 rw-p /);
    expect(permsAt(s.bytes, 0xdf6f_f000)).toBe('');
    s = makeSpace();
    loaded(open('examples/bin/hello'), { stackSize: 64 << 20 });
    expect(stack()).toMatch(/^dbf00000-dff00000 rw-p /);
    expect(s.mm.mmap({ addr: 0, length: PAGE, prot: 3, flags: 0x22 })).toBe(0xdbe0_0000 - 3 * PAGE); // below the vDSO's two pages
    s = makeSpace();
    loaded(made({ phdrs: [text(), { type: PT.GNU_STACK, flags: 7 }] }));
    expect(stack()).toMatch(/ rwxp /);
    s = makeSpace();
    expect(load(open('examples/bin/hello'), { stackSize: 2 ** 40 })).toBe(-ENOMEM);
  });

  test('arguments that are too large', () => {
    const hello = open('examples/bin/hello');
    expect(load(hello, { argv: ['x'.repeat(131072)] })).toBe(-E2BIG);
    expect(load(hello, { env: Array.from({ length: 20 }, () => 'x'.repeat(130000)) })).toBe(-E2BIG);
    expect(typeof load(hello, { argv: ['x'.repeat(131071)] })).toBe('object');
  });
});

describe('segments', () => {
  const withReadelf = existsSync('/usr/bin/readelf') ? test.each : test.skip.each;
  withReadelf(['/bin/ls', 'examples/bin/hello', 'examples/bin/hello-static-pie', 'examples/bin/clone-static'])(
    '%s: bytes of the file, zeros behind them, permissions of each',
    (path) => {
      const program = open(path);
      const image = loaded(program);
      const file = readFileSync(path);
      expect(image.bias).toBe(program.type === 'dyn' ? 0x1000_0000 : 0);
      expect(image.entry).toBe(program.entry + image.bias);
      const rows = execFileSync('readelf', ['-lW', path], { encoding: 'latin1' });
      for (const m of rows.matchAll(/^ +LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+) (...) 0x/gm)) {
        const [offset = 0, address = 0, fileSize = 0, memorySize = 0] = m.slice(1, 5).map((h) => parseInt(h, 16));
        const at = address + image.bias;
        expect(Buffer.compare(s.bytes.subarray(at, at + fileSize), file.subarray(offset, offset + fileSize))).toBe(0);
        const end = Math.ceil((at + memorySize) / PAGE) * PAGE;
        if (memorySize > fileSize) expect(s.bytes.subarray(at + fileSize, end).every((b) => b === 0)).toBe(true);
        const flags = (m[5] ?? '').replace('E', 'x').replaceAll(' ', '').toLowerCase();
        expect(permsAt(s.bytes, at).replace(/[fF]/g, '')).toBe(flags);
        expect(permsAt(s.bytes, end - 1).replace(/[fF]/g, '')).toBe(flags);
      }
      const last = Math.max(...program.segments.map((g) => g.address + g.memorySize)) + image.bias;
      expect(s.mm.brk(0)).toBe(Math.ceil(last / PAGE) * PAGE);
    },
  );

  const interpreter = '/lib64/ld-linux-x86-64.so.2';
  (existsSync(interpreter) ? test : test.skip)('a dynamic program starts in its interpreter', () => {
    const ld = open(interpreter);
    const image = loaded(open('examples/bin/hello-dynamic'), { interpreter: ld });
    const { auxv } = readStack(image.sp);
    expect(image.interpreterBias).toBeGreaterThan(0xd000_0000);
    expect(image.entry).toBe(ld.entry + image.interpreterBias);
    expect([auxv.get(7), auxv.get(9)]).toEqual([
      image.interpreterBias,
      open('examples/bin/hello-dynamic').entry + image.bias,
    ]);
    expect(permsAt(s.bytes, image.entry)).toMatch(/^rx/);
  });

  test('alignment of position-independent programs is kept', () => {
    const big = 0x4000_0000;
    const program = made({ type: 3, entry: 0, phdrs: [{ type: PT.LOAD, filesz: 100, align: big }] });
    expect(loaded(program).bias % big).toBe(0);
    s = makeSpace();
    const other = made({ type: 3, entry: 0, phdrs: [{ type: PT.LOAD, filesz: 100, align: 0x20_0000 }] });
    const image = loaded(program, { interpreter: other });
    expect(image.interpreterBias % 0x20_0000).toBe(0);
    expect(
      s.mm
        .maps()
        .split('\n')
        .filter((l) => l.includes(dir)),
    ).toHaveLength(2);
  });

  test('a program linked above the fast memory', () => {
    const at = 0x5555_5555_4000;
    const program = made({
      entry: at + 0x100,
      phdrs: [
        { type: PT.LOAD, vaddr: at, filesz: 4096 },
        { type: PT.LOAD, vaddr: at + 0x1000, offset: 4096, filesz: 100, memsz: 3 * PAGE, flags: 6 },
      ],
    });
    const image = loaded(program);
    expect(image.entry).toBe(at + 0x100);
    const file = readFileSync(program.path);
    expect(Buffer.from(s.mem.read(at, 4096) ?? [])).toEqual(file.subarray(0, 4096));
    expect(Buffer.from(s.mem.read(at + 0x1000, 101) ?? [])).toEqual(
      Buffer.concat([file.subarray(4096, 4196), Buffer.from([0])]),
    );
    expect(s.mem.canWrite(at + 0x1000, 3 * PAGE)).toBe(true);
    expect(s.mem.canWrite(at, 1)).toBe(false);
    const heap = s.mm.brk(0);
    expect(heap).toBeLessThan(GUEST_END);
    expect(s.mm.brk(heap + PAGE)).toBe(heap + PAGE);
  });

  test('programs that have no place', () => {
    expect(load(made({ phdrs: [{ ...text(), vaddr: 0x1000 }] }))).toBe(-EPERM);
    s = makeSpace();
    expect(load(made({ phdrs: [{ ...text(), memsz: 2 ** 46 }] }))).toBe(-ENOMEM);
    s = makeSpace();
    expect(load(made({ phdrs: [{ ...text(), vaddr: 0xdf80_0000 }] }))).toBeLessThan(0);
  });
});

describe('interpreter scripts', () => {
  const head = (line: string): Uint8Array => Buffer.from(line, 'latin1');
  test.each([
    ['#!/bin/sh\n', { interpreter: '/bin/sh', argument: undefined }],
    ['#! \t/bin/sh -e  \nrest', { interpreter: '/bin/sh', argument: '-e' }],
    ['#!/usr/bin/env python3 -u\n', { interpreter: '/usr/bin/env', argument: 'python3 -u' }],
    ['#!/bin/x', { interpreter: '/bin/x', argument: undefined }],
    ['#!\n', -ENOEXEC],
    ['#!   ', -ENOEXEC],
    ['#', undefined],
    ['\x7fELF', undefined],
    ['', undefined],
    [`#!/${'x'.repeat(300)}\n`, -ENOEXEC],
    [`#!/bin/sh ${'x'.repeat(300)}\n`, { interpreter: '/bin/sh', argument: 'x'.repeat(245) }],
    ['#!/bin/sh a b  ', { interpreter: '/bin/sh', argument: 'a b  ' }],
    ['#!  /bin/sh\0 zz\n', { interpreter: '/bin/sh', argument: undefined }],
    ['#!/bin/sh\t\n', { interpreter: '/bin/sh', argument: undefined }],
  ])('%j', (line, expected) => {
    expect(parseShebang(head(line).subarray(0, 256))).toEqual(expected);
  });

  test('resolving: arguments, nesting, errors', () => {
    const files: Readonly<Record<string, string>> = {
      '/a': '#!/b -x\n',
      '/b': '#!/bin/sh\n',
      '/bin/sh': '\x7fELF',
      '/loop': '#!/loop\n',
      '/broken': '#!\n',
    };
    const read = (path: string): Uint8Array | number => (path in files ? head(files[path] ?? '') : -2);
    expect(resolveScript({ path: '/a', argv: ['a', '1'] }, read)).toEqual({
      path: '/bin/sh',
      argv: ['/bin/sh', '/b', '-x', '/a', '1'],
    });
    expect(resolveScript({ path: '/bin/sh', argv: ['sh'] }, read)).toEqual({ path: '/bin/sh', argv: ['sh'] });
    expect(resolveScript({ path: '/loop', argv: [] }, read)).toBe(-ELOOP);
    expect(resolveScript({ path: '/broken', argv: [] }, read)).toBe(-ENOEXEC);
    expect(resolveScript({ path: '/missing', argv: [] }, read)).toBe(-2);
  });
});
