/**
 * Guards of tables: a narrow index from a constant address. What is known of such addresses, the check that comes of it, and that it lets nothing through.
 */
import { describe, expect, test } from '@jest/globals';
import { buildCfg, type CfgNode } from '../../backend-wasm/compiler/cfg.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { type ValueRange, valueRange } from '../../backend-wasm/compiler/value-ranges.js';
import type { TempId } from '../../src/base/ids.js';
import { CPU, EXIT } from '../../src/guest/cpu-state.js';
import { PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { globalId } from '../../src/ir/globals.js';
import type { Tb } from '../../src/ir/types.js';
import { IrMachine, regionOf } from '../support/ir-machine.js';

const PC = 0x40_0000;
const TABLE = 0x50_0f00;
const [RAX, RDX] = [globalId('rax'), globalId('rdx')];

function block(make: (b: IrBuilder) => void): Tb {
  const b = new IrBuilder(PC);
  b.insnStart(PC, -1);
  make(b);
  b.emit('exit', [], [EXIT.SYSCALL, 0, PC + 16]);
  return b.finish(16);
}

/** What is known of the temp that `make` writes. */
function range(make: (b: IrBuilder, t: TempId) => void): ValueRange | undefined {
  const tb = block((b) => {
    const t = b.temp('i64');
    make(b, t);
    b.emit('mov_i64', [RDX, t]);
    b.free(t);
  });
  const at = tb.ops.findIndex((op) => op.name === 'mov_i64' && op.args[0] === RDX);
  return valueRange(buildCfg(regionOf(tb)).nodes[0] as CfgNode, tb.ops[at]?.args[1], at);
}

describe('ranges', () => {
  test('of extensions, shifts, masks and sums', () => {
    expect(
      range((b, t) => {
        b.emit('ext8u_i64', [t, RAX]);
        b.emit('shl_i64', [t, t, b.i64(2)]);
        b.emit('add_i64', [t, t, b.i64(TABLE)]);
      }),
    ).toEqual({ low: TABLE, high: TABLE + 1020 });
    expect(
      range((b, t) => {
        b.emit('and_i64', [t, RAX, b.i64(0xfff)]);
        b.emit('shr_i64', [t, t, b.i64(4)]);
        b.emit('add_i64', [t, t, b.i64(-1)]);
      }),
    ).toEqual({ low: -1, high: 254 });
  });
  const unknown: readonly (readonly [string, (b: IrBuilder, t: TempId) => void])[] = [
    [
      'a register',
      (b, t) => {
        b.emit('add_i64', [t, RAX, b.i64(1)]);
      },
    ],
    [
      'a signed value',
      (b, t) => {
        b.emit('ext8s_i64', [t, RAX]);
      },
    ],
    [
      'a wide mask',
      (b, t) => {
        b.emit('and_i64', [t, RAX, b.i64(-16)]);
      },
    ],
    [
      'a shift out of what is exact',
      (b, t) => {
        b.emit('ext8u_i64', [t, RAX]);
        b.emit('shl_i64', [t, t, b.i64(60)]);
      },
    ],
    [
      'what another value was mixed into',
      (b, t) => {
        b.emit('ext8u_i64', [t, RAX]);
        b.emit('xor_i64', [t, t, RDX]);
      },
    ],
    [
      'a register that a helper writes',
      (b, t) => {
        b.emit('ext8u_i64', [RAX, RAX]);
        b.emit('call', [], ['cpuid']);
        b.emit('mov_i64', [t, RAX]);
      },
    ],
  ];
  test.each(unknown)('not of %s', (_name, make) => {
    expect(range(make)).toBeUndefined();
  });
});

/** rdx = the 4 bytes at TABLE + 4 * (low 8 bits of rax). */
const look = block((b) => {
  const [index, host] = [b.temp('i64'), b.temp('i32')];
  b.emit('ext8u_i64', [index, RAX]);
  b.emit('shl_i64', [index, index, b.i64(2)]);
  b.emit('add_i64', [index, index, b.i64(TABLE)]);
  b.emit('guard_r', [host, index], [4]);
  b.emit('gld32u_i64', [RDX, host], [0]);
  b.free(index);
  b.free(host);
});

describe('the check', () => {
  test('looks at a constant page first, and not whether the address wraps', () => {
    const { text } = compileModule([regionOf(look)], () => 0, { text: true });
    const loads = text?.match(/i32\.load8_u offset=(\d+)\s+\((?:i32\.const 0|i32\.shr_u)/g) ?? [];
    expect(loads.map((load) => load.replace(/\s+/g, ' '))).toEqual([
      `i32.load8_u offset=${PERM_TABLE + (TABLE >> 12)} (i32.const 0`,
      `i32.load8_u offset=${PERM_TABLE} (i32.shr_u`,
    ]);
    expect(text).not.toContain('i64.ne');
  });

  const machine = new IrMachine();
  const run = (rax: number): readonly [number, bigint] => {
    machine.set('rax', BigInt(rax));
    machine.set('rdx', 0n);
    machine.setI32(CPU.EXIT_REASON, 0);
    return [machine.runCompiled(look), machine.get('rdx')];
  };
  const [HERE, NEXT] = [TABLE & ~0xfff, (TABLE & ~0xfff) + 0x1000];
  machine.views.u8.fill(1, HERE, NEXT + 0x1000);
  const LAST_OF_PAGE = 0x3f;

  test('passes where both pages may be read', () => {
    machine.allow(HERE, PERM.R | PERM.RFAST);
    machine.allow(NEXT, PERM.R);
    expect([run(0), run(0x1ff)]).toEqual([
      [EXIT.SYSCALL, 0x0101_0101n],
      [EXIT.SYSCALL, 0x0101_0101n],
    ]);
  });
  test('is that of the access where the second one may not', () => {
    machine.allow(HERE, PERM.R);
    machine.allow(NEXT, 0);
    expect(run(LAST_OF_PAGE)).toEqual([EXIT.SYSCALL, 0x0101_0101n]);
    expect(run(LAST_OF_PAGE + 1)).toEqual([EXIT.PAGE_FAULT, 0n]);
  });
  test('is that of the access where the first one may not', () => {
    machine.allow(HERE, 0);
    machine.allow(NEXT, PERM.R);
    expect(run(LAST_OF_PAGE)).toEqual([EXIT.PAGE_FAULT, 0n]);
    expect(run(LAST_OF_PAGE + 1)).toEqual([EXIT.SYSCALL, 0x0101_0101n]);
  });
});

test('a table of more than a page has no such look', () => {
  const wide = block((b) => {
    const [index, host] = [b.temp('i64'), b.temp('i32')];
    b.emit('ext16u_i64', [index, RAX]);
    b.emit('add_i64', [index, index, b.i64(TABLE)]);
    b.emit('guard_r', [host, index], [1]);
    b.emit('gld8u_i64', [RDX, host], [0]);
    b.free(index);
    b.free(host);
  });
  const { text } = compileModule([regionOf(wide)], () => 0, { text: true });
  const looks = text?.match(/i32\.load8_u offset=(\d+)/g)?.map((load) => Number(load.split('=')[1]));
  expect(looks?.filter((at) => at >= PERM_TABLE)).toEqual([PERM_TABLE]);
});
