/** Permission checks and faults: what an access of some size at some place gives, compared with a look at each of its bytes; precise state; pages from GUEST_END up. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { CPU, EXC, EXIT, PF, RUN_FLAG } from '../../src/guest/cpu-state.js';
import { isAtEdges } from '../../src/engine/heat.js';
import { GUEST_END, HIGH_MAP_BASE, HIGH_TABLES, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { TB } from '../../src/guest/tb-header.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { G } from '../../src/ir/globals.js';
import { CoreMachine, DONE, singleTb } from '../support/core-machine.js';

const A = 0x40_0000;
/** Pages in a row, with these permissions; everything else is unmapped. */
const PAGES = 0x60_0000;
const LAYOUT = [
  0,
  PERM.R | PERM.W,
  PERM.R | PERM.W,
  PERM.R,
  PERM.R | PERM.W,
  PERM.W,
  PERM.R | PERM.W | PERM.X | PERM.CODE,
  PERM.R | PERM.W,
  PERM.R | PERM.W | PERM.SLOW,
  PERM.R | PERM.W,
  0,
];
const KINDS = { r: PERM.R, w: PERM.W, rw: PERM.R | PERM.W } as const;
type Kind = keyof typeof KINDS;

const m = new CoreMachine();
LAYOUT.forEach((perm, i) => {
  m.allow(PAGES + 4096 * i, perm);
});
// setPerms keeps CODE only; the translator sets it.
const codePage = LAYOUT.findIndex((p) => (p & PERM.CODE) !== 0);
m.views.u8[PERM_TABLE + (PAGES >>> 12) + codePage] = PERM.R | PERM.W | PERM.X | PERM.CODE | PERM.RFAST;
m.views.u8[PERM_TABLE + (PAGES >>> 12) + codePage - 1] = PERM.W;

beforeEach(() => {
  m.setI32(CPU.RUN_FLAGS, RUN_FLAG.INTERP_ONLY);
  m.setI32(CPU.EXIT_REASON, 0);
});

type Outcome = { readonly host: number } | { readonly exit: number; readonly args: readonly [bigint, bigint] };

/** By the bytes of the access, one after the other. */
function expected(kind: Kind, addr: number, size: number): Outcome {
  const write = kind !== 'r';
  let code = false;
  for (let at = addr; at < addr + size; at++) {
    const perm = LAYOUT[Math.floor((at - PAGES) / 4096)] ?? 0;
    if ((perm & KINDS[kind]) !== KINDS[kind]) {
      const present = (perm & (PERM.R | PERM.W)) === 0 ? 0 : PF.PRESENT;
      return { exit: EXIT.PAGE_FAULT, args: [BigInt(at), BigInt(PF.USER | (write ? PF.WRITE : 0) | present)] };
    }
    code ||= (perm & PERM.CODE) !== 0;
  }
  return write && code ? { exit: EXIT.CODE_WRITE, args: [BigInt(addr), BigInt(size)] } : { host: addr };
}

function slow(kind: Kind, addr: bigint, size: number): Outcome {
  m.setI32(CPU.EXIT_REASON, 0);
  const f = m.core.exports[`guardSlow_${kind}`] as (cpu: number, addr: bigint, size: number) => number;
  const host = f(m.cpu, BigInt.asIntN(64, addr), size) >>> 0;
  return host === 0 ? { exit: m.i32(CPU.EXIT_REASON), args: m.exitArgs } : { host };
}

/** Addresses around the edges of the pages. */
const addresses = (size: number): number[] =>
  LAYOUT.flatMap((_, i) => [-size, 1 - size, -1, 0, 1].map((d) => PAGES + 4096 * i + d));

describe.each(['r', 'w', 'rw'] as const)('guard_%s', (kind) => {
  test.each([1, 2, 3, 4, 8, 16, 108, 512, 4096])('of %d bytes by the slow path', (size) => {
    for (const addr of addresses(size))
      expect([addr, slow(kind, BigInt(addr), size)]).toEqual([addr, expected(kind, addr, size)]);
  });

  test.each([1, 2, 4, 8, 16])('of %d bytes in a TB', (size) => {
    m.clear();
    m.add(
      singleTb(A, (b) => {
        const host = b.temp('i32');
        b.emit(`guard_${kind}`, [host, G.reg(1)], [size]);
        b.emit('st_i32', [host], [CPU.SCRATCH]);
        b.free(host);
      }),
    );
    for (const addr of addresses(size)) {
      m.set('rcx', BigInt(addr));
      const reason = m.run(A);
      const got: Outcome = reason === DONE ? { host: m.i32(CPU.SCRATCH) >>> 0 } : { exit: reason, args: m.exitArgs };
      expect([addr, got]).toEqual([addr, expected(kind, addr, size)]);
    }
  });
});

describe('addresses that no page can have', () => {
  const general = { exit: EXIT.EXCEPTION, args: [BigInt(EXC.GP), 0n] };
  test.each([
    [0x8000_0000_0000n, 1, general],
    [0x7fff_ffff_ffffn, 2, general],
    [0xffff_7fff_ffff_ffffn, 1, general],
    [0xffff_7fff_ffff_ffffn, 8, general],
    [0x1234_0000_0060_1000n, 8, general],
  ])('0x%s, %d bytes: #GP', (addr, size, want) => {
    expect(slow('w', addr, size)).toEqual(want);
  });

  const fault = (addr: bigint): Outcome => ({ exit: EXIT.PAGE_FAULT, args: [addr, BigInt(PF.USER | PF.WRITE)] });
  test.each([
    [0xffff_8000_0000_0000n, 8],
    [0xffff_ffff_ffff_fff0n, 16],
    [0xffff_ffff_ffff_ffffn, 1],
    // Wraps around to address 6.
    [0xffff_ffff_ffff_ffffn, 8],
    [0x7fff_ffff_fff0n, 16],
    [0x1_0060_1000n, 8],
    [0n, 8],
    [BigInt(GUEST_END), 8],
    [BigInt(GUEST_END) - 1n, 1],
    [0xffff_ffffn, 8],
  ])('0x%s, %d bytes: page fault', (addr, size) => {
    expect(slow('rw', addr, size)).toEqual(fault(addr));
  });

  test('the emulator area is no guest memory', () => {
    for (const at of [GUEST_END, m.cpu, 0xffff_0000])
      expect(slow('r', BigInt(at), 4)).toEqual({ exit: EXIT.PAGE_FAULT, args: [BigInt(at), BigInt(PF.USER)] });
  });
});

describe('pages from GUEST_END up', () => {
  const HIGH = 0x1234_5678_9000;
  const BACKING = 0x5000;
  const page = Math.floor(HIGH / 4096);
  const middle = HIGH_TABLES;
  const leaf = HIGH_TABLES + 0x4000;
  const entryAt = (n: number): number => leaf + 4 * (n % 4096);
  const map = (n: number, backing: number, perm: number): void => {
    m.setWord(HIGH_MAP_BASE + 4 * Math.floor(n / 2 ** 24), middle);
    m.setWord(middle + 4 * (Math.floor(n / 4096) % 4096), leaf);
    m.setWord(entryAt(n), (backing | (perm << 24)) >>> 0);
  };
  map(page, BACKING, PERM.R | PERM.W);
  map(page + 1, BACKING + 1, PERM.R);
  map(page + 3, BACKING + 8, PERM.R | PERM.W);
  map(page + 4, BACKING + 16, PERM.R | PERM.W);

  test('are where their backing is', () => {
    expect(slow('rw', BigInt(HIGH + 0x123), 8)).toEqual({ host: BACKING * 4096 + 0x123 });
    expect(slow('r', BigInt(HIGH + 4092), 8)).toEqual({ host: BACKING * 4096 + 4092 });
  });

  test('fault as others do', () => {
    const fault = (addr: number, bits: number): Outcome => ({
      exit: EXIT.PAGE_FAULT,
      args: [BigInt(addr), BigInt(bits)],
    });
    expect(slow('w', BigInt(HIGH + 4092), 8)).toEqual(fault(HIGH + 4096, PF.USER | PF.WRITE | PF.PRESENT));
    expect(slow('r', BigInt(HIGH + 8188), 8)).toEqual(fault(HIGH + 8192, PF.USER));
    expect(slow('r', BigInt(HIGH - 1), 1)).toEqual(fault(HIGH - 1, PF.USER));
    // Other tables of the radix tree.
    expect(slow('r', BigInt(HIGH + 2 ** 24), 1)).toEqual(fault(HIGH + 2 ** 24, PF.USER));
    expect(slow('r', BigInt(HIGH + 2 ** 36), 1)).toEqual(fault(HIGH + 2 ** 36, PF.USER));
  });

  test('an access over backings that are not adjacent is refused', () => {
    expect(slow('r', BigInt(HIGH + 4 * 4096 - 2), 4)).toEqual({
      exit: EXIT.SPLIT_PAGE,
      args: [BigInt(HIGH + 4 * 4096 - 2), 4n],
    });
  });

  test('a write to translated code names the backing', () => {
    m.views.u8[PERM_TABLE + BACKING] = PERM.CODE;
    expect(slow('w', BigInt(HIGH + 16), 8)).toEqual({ exit: EXIT.CODE_WRITE, args: [BigInt(BACKING * 4096 + 16), 8n] });
    expect(slow('r', BigInt(HIGH + 16), 8)).toEqual({ host: BACKING * 4096 + 16 });
    m.views.u8[PERM_TABLE + BACKING] = 0;
  });

  test('are reached by TBs', () => {
    m.views.view.setBigUint64(BACKING * 4096 + 24, 0x1122_3344_5566_7788n, true);
    m.set('rcx', BigInt(HIGH));
    expect(
      m.runTb(
        singleTb(A, (b) => {
          const address = b.temp('i64');
          const host = b.temp('i32');
          b.emit('add_i64', [address, G.reg(1), b.i64(24)]);
          b.emit('guard_r', [host, address], [8]);
          b.emit('gld_i64', [G.reg(0), host], [0]);
          b.free(address);
          b.free(host);
        }),
      ),
    ).toBe(DONE);
    expect(m.get('rax')).toBe(0x1122_3344_5566_7788n);
  });
});

test('a TB counts what it accesses next to pages that allow less', () => {
  const load = singleTb(A, (b) => {
    const host = b.temp('i32');
    b.emit('guard_r', [host, G.reg(1)], [8]);
    b.emit('gld_i64', [G.reg(0), host], [0]);
    b.free(host);
  });
  m.clear();
  const header = m.add(load);
  const edgesAfter = (addr: number): number => {
    m.set('rcx', BigInt(addr));
    expect(m.run(A)).toBe(DONE);
    return m.views.i32[(header + TB.EDGES) / 4] ?? 0;
  };
  // Pages 1 to 4 can be read, page 5 can't.
  expect([1, 2, 3].map((page) => edgesAfter(PAGES + 4096 * page + 16))).toEqual([0, 0, 0]);
  expect([16, 4088].map((at) => edgesAfter(PAGES + 4096 * 4 + at))).toEqual([1, 2]);
  expect(isAtEdges(m.views, header)).toBe(true);
  m.views.i32[(header + TB.EDGES) / 4] = 0;
  expect(isAtEdges(m.views, header)).toBe(false);
});

describe('a fault has the state of its instruction', () => {
  /** Three instructions; the last accesses memory at rcx - 8 in a push, else at rcx. */
  function program(access: (b: IrBuilder) => void, ccOp: number): void {
    const b = new IrBuilder(A);
    b.insnStart(A, -1);
    b.emit('mov_i64', [G.reg(0), b.i64(1)]);
    b.emit('mov_i32', [G.ccOp, b.i32(15)]);
    b.insnStart(A + 3, 15);
    b.emit('mov_i64', [G.reg(3), b.i64(2)]);
    b.insnStart(A + 5, ccOp);
    access(b);
    b.emit('mov_i64', [G.reg(3), b.i64(3)]);
    b.insnStart(A + 9, 23);
    b.emit('exit', [], [DONE, 0, A + 12]);
    m.clear();
    m.add(b.finish(12));
  }

  const accesses: Record<string, (b: IrBuilder) => void> = {
    load: (b) => {
      const host = b.temp('i32');
      b.emit('guard_r', [host, G.reg(1)], [8]);
      b.emit('gld_i64', [G.reg(0), host], [0]);
      b.free(host);
    },
    'load with displacement': (b) => {
      const host = b.temp('i32');
      const address = b.temp('i64');
      b.emit('add_i64', [address, G.reg(1), b.i64(-8)]);
      b.emit('guard_r', [host, address], [4]);
      b.emit('gld32u_i64', [G.reg(0), host], [0]);
      b.free(host);
      b.free(address);
    },
    store: (b) => {
      const host = b.temp('i32');
      b.emit('guard_w', [host, G.reg(1)], [16]);
      b.emit('gst_v128', [host, G.xmm(0)], [0]);
      b.free(host);
    },
    push: (b) => {
      const host = b.temp('i32');
      const address = b.temp('i64');
      b.emit('sub_i64', [address, G.reg(1), b.i64(8)]);
      b.emit('guard_w', [host, address], [8]);
      b.emit('gst_i64', [host, G.reg(0)], [0]);
      b.emit('mov_i64', [G.reg(1), address]);
      b.free(host);
      b.free(address);
    },
    pop: (b) => {
      const host = b.temp('i32');
      b.emit('guard_r', [host, G.reg(1)], [8]);
      b.emit('gld_i64', [G.reg(0), host], [0]);
      b.emit('add_i64', [G.reg(1), G.reg(1), b.i64(8)]);
      b.free(host);
    },
    'read-modify-write': (b) => {
      const host = b.temp('i32');
      b.emit('guard_rw', [host, G.reg(1)], [2]);
      b.emit('atomic_add16', [G.reg(0), host, G.reg(3)]);
      b.free(host);
    },
    helper: (b) => {
      b.emit('call', [b.i32(8), b.i32(8), b.i64(0)], ['rep_movs']);
    },
  };

  test.each(Object.keys(accesses).flatMap((name) => [[name, 7] as const, [name, -1] as const]))(
    '%s, cc_op %d',
    (name, ccOp) => {
      program(accesses[name] as (b: IrBuilder) => void, ccOp);
      const bad = BigInt(PAGES + 4096);
      m.set('rcx', bad - 4n);
      m.set('rsi', bad - 4n);
      m.set('rdi', BigInt(PAGES + 4096));
      m.set('df', 1n);
      m.set('cc_op', 99n);
      m.set('rbx', 0n);
      if (name === 'helper') m.set('rcx', 1n);
      expect(m.run(A)).toBe(EXIT.PAGE_FAULT);
      expect(m.get('rip')).toBe(BigInt(A + 5));
      expect(m.get('rax')).toBe(1n);
      expect(m.get('rbx')).toBe(2n);
      expect(m.get('cc_op')).toBe(ccOp < 0 ? 15n : 7n);
      if (name !== 'helper') expect(m.get('rcx')).toBe(bad - 4n);
      const write = ['store', 'push', 'read-modify-write'].includes(name) ? PF.WRITE : 0;
      const at = ['load with displacement', 'push'].includes(name) ? bad - 12n : bad - 4n;
      expect(m.exitArgs).toEqual([at, BigInt(PF.USER | write)]);
    },
  );

  test('in the first and the last instruction of a long TB', () => {
    for (const bad of [0, 1, 31, 62, 63]) {
      const b = new IrBuilder(A);
      for (let i = 0; i < 64; i++) {
        b.insnStart(A + 2 * i, i);
        const host = b.temp('i32');
        b.emit('guard_r', [host, G.reg(i === bad ? 1 : 2)], [4]);
        b.emit('gld32u_i64', [G.reg(0), host], [0]);
        b.free(host);
      }
      b.emit('exit', [], [DONE, 0, A + 128]);
      m.clear();
      m.add(b.finish(128));
      m.set('rcx', 0n);
      m.set('rdx', BigInt(PAGES + 4096));
      expect(m.run(A)).toBe(EXIT.PAGE_FAULT);
      expect([m.get('rip'), m.get('cc_op')]).toEqual([BigInt(A + 2 * bad), BigInt(bad)]);
    }
  });

  test.each([1, 2, 4, 8, 16])('align_check of %d', (size) => {
    for (let offset = 0; offset < 32; offset++) {
      m.clear();
      m.add(
        singleTb(A, (b) => {
          b.emit('align_check', [G.reg(1)], [size]);
        }),
      );
      m.set('rcx', BigInt(PAGES + offset));
      expect(m.run(A)).toBe(offset % size === 0 ? DONE : EXIT.EXCEPTION);
      if (offset % size !== 0) expect(m.exitArgs).toEqual([BigInt(EXC.GP), 0n]);
    }
  });
});
