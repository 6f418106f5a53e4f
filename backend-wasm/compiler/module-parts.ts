/**
 * What the regions of a module share: imports from the core and small functions of the module's own, each added at its first use.
 * In: a Binaryen module. Out: calls of them.
 */
import binaryen from 'binaryen';
import { CPU, EXC, EXIT } from '../../src/guest/cpu-state.js';
import { GUEST_END } from '../../src/guest/memory-map.js';
import type { GuardKind } from '../../src/ir/op-info.js';
import type { Type } from '../../src/ir/types.js';
import type { Expr } from './flow.js';
import type { HostSimd } from './host-simd.js';
import type { RegionPasses } from './region-passes.js';
import { wasmType } from './values.js';

/** Parameters and result of a region's function (region.ts). */
export const REGION_PARAMS = [binaryen.i32, binaryen.i32] as const;
export const REGION_RESULT = binaryen.i64;

/** Internal name of the function table. */
const TABLE = 'table';

export class ModuleParts {
  private readonly known = new Set<string>();

  constructor(
    readonly m: binaryen.Module,
    /** Each access has a permission check of its own, which does without EXIT.CLOSE_LOOK. */
    readonly plainGuards: boolean,
    /** Whether the TB at a pc mostly accesses the last pages of mappings and the like. */
    readonly atEdges: (pc: number) => boolean,
    /** No access has a permission check. */
    readonly unchecked: boolean,
    readonly host: HostSimd,
    readonly passes: RegionPasses,
    /** Regions are entered through the core (enterSlot), and the module does without the function table. */
    private readonly viaCore: boolean,
  ) {}

  /** Calls the region of a table slot. */
  callSlot(slot: Expr, args: readonly Expr[]): Expr {
    if (this.viaCore) return this.m.call(this.enterSlot(), [...args, slot], REGION_RESULT);
    return this.m.call_indirect(this.table(), slot, args, binaryen.createType([...REGION_PARAMS]), REGION_RESULT);
  }

  /** Goes on in the region of a table slot. */
  tailCallSlot(slot: Expr, args: readonly Expr[]): Expr {
    if (this.viaCore) return this.m.return_call(this.enterSlot(), [...args, slot], REGION_RESULT);
    const params = binaryen.createType([...REGION_PARAMS]);
    return this.m.return_call_indirect(this.table(), slot, args, params, REGION_RESULT);
  }

  /** The core's function (cpu, budget, slot) that goes on in the region of the slot (scripts/add-enter-slot.js). */
  private enterSlot(): string {
    return this.imported('enterSlot', [...REGION_PARAMS, binaryen.i32], REGION_RESULT);
  }

  private table(): string {
    if (!this.known.has(TABLE)) this.m.addTableImport(TABLE, 'env', 'table');
    this.known.add(TABLE);
    return TABLE;
  }

  /** Calls a function of the core. */
  core(name: string, params: readonly Type[], result: Type | undefined, args: readonly Expr[]): Expr {
    const type = result === undefined ? binaryen.none : wasmType(result);
    return this.m.call(this.imported(name, params.map(wasmType), type), args, type);
  }

  private imported(name: string, params: readonly binaryen.Type[], result: binaryen.Type): string {
    if (!this.known.has(name)) this.m.addFunctionImport(name, 'core', name, binaryen.createType([...params]), result);
    this.known.add(name);
    return name;
  }

  /** The core's close look at an access: gives the address in the memory, or 0 after a fault, with rip and (from 0 on) cc_op stored. */
  slowGuard(kind: GuardKind, cpu: Expr, address: Expr, size: number, pc: number, ccOp: number): Expr {
    const { m } = this;
    const params = ['i32', 'i64', 'i32', 'i64', 'i32'] as const;
    const name = this.own(`slow_${kind}`, params, 'i32', ['i32'], (p) => [
      m.local.set(5, this.core(`guardSlow_${kind}`, ['i32', 'i64', 'i32'], 'i32', [p(0), p(1), p(2)])),
      m.if(
        m.i32.eqz(m.local.get(5, binaryen.i32)),
        m.block(
          null,
          this.storePosition(p(0), p(3), () => p(4)),
        ),
      ),
      m.return(m.local.get(5, binaryen.i32)),
    ]);
    return m.call(name, [cpu, address, m.i32.const(size), m.i64.const(BigInt(pc)), m.i32.const(ccOp)], binaryen.i32);
  }

  /**
   * As slowGuard, but for accesses that are at their place in the memory or nowhere: gives 0 when the access is allowed, else the region is to be left, with a fault or
   * EXIT.CLOSE_LOOK.
   */
  look(kind: GuardKind, cpu: Expr, address: Expr, size: number, pc: number, ccOp: number): Expr {
    const { m } = this;
    const params = ['i32', 'i64', 'i32', 'i64', 'i32'] as const;
    const name = this.own(`look_${kind}`, params, 'i32', [], (p) => {
      const allowed = this.core(`guardSlow_${kind}`, ['i32', 'i64', 'i32'], 'i32', [p(0), p(1), p(2)]);
      const inPlace = m.i64.le_u(p(1), m.i64.sub(m.i64.const(BigInt(GUEST_END)), m.i64.extend_u(p(2))));
      return [
        m.if(
          allowed,
          m.block(null, [
            m.if(inPlace, m.return(m.i32.const(0))),
            m.i32.store(CPU.EXIT_REASON, 4, p(0), m.i32.const(EXIT.CLOSE_LOOK)),
          ]),
        ),
        ...this.storePosition(p(0), p(3), () => p(4)),
        m.return(m.i32.const(1)),
      ];
    });
    return m.call(name, [cpu, address, m.i32.const(size), m.i64.const(BigInt(pc)), m.i32.const(ccOp)], binaryen.i32);
  }

  /** A fault in the instruction at `pc` whose reason is in CPU state already. */
  fault(cpu: Expr, pc: number, ccOp: number): Expr {
    const { m } = this;
    const name = this.own('fault', ['i32', 'i64', 'i32'], undefined, [], (p) =>
      this.storePosition(p(0), p(1), () => p(2)),
    );
    return m.call(name, [cpu, m.i64.const(BigInt(pc)), m.i32.const(ccOp)], binaryen.none);
  }

  /** #GP(0) in the instruction at `pc`. */
  protection(cpu: Expr, pc: number, ccOp: number): Expr {
    const { m } = this;
    const name = this.own('protection', ['i32', 'i64', 'i32'], undefined, [], (p) => [
      m.i32.store(CPU.EXIT_REASON, 4, p(0), m.i32.const(EXIT.EXCEPTION)),
      m.i64.store(CPU.EXIT_ARG0, 8, p(0), m.i64.const(BigInt(EXC.GP))),
      m.i64.store(CPU.EXIT_ARG1, 8, p(0), m.i64.const(0n)),
      ...this.storePosition(p(0), p(1), () => p(2)),
    ]);
    return m.call(name, [cpu, m.i64.const(BigInt(pc)), m.i32.const(ccOp)], binaryen.none);
  }

  /** EXIT.CLOSE_LOOK at the instruction at `pc`. */
  closeLook(cpu: Expr, pc: number, ccOp: number): Expr {
    const { m } = this;
    const name = this.own('close_look', ['i32', 'i64', 'i32'], undefined, [], (p) => [
      m.i32.store(CPU.EXIT_REASON, 4, p(0), m.i32.const(EXIT.CLOSE_LOOK)),
      ...this.storePosition(p(0), p(1), () => p(2)),
    ]);
    return m.call(name, [cpu, m.i64.const(BigInt(pc)), m.i32.const(ccOp)], binaryen.none);
  }

  /** EXIT.POLL with rip. */
  poll(cpu: Expr, rip: Expr): Expr {
    const { m } = this;
    const name = this.own('poll', ['i32', 'i64'], undefined, [], (p) => [
      m.i64.store(CPU.RIP, 8, p(0), p(1)),
      m.i32.store(CPU.EXIT_REASON, 4, p(0), m.i32.const(EXIT.POLL)),
    ]);
    return m.call(name, [cpu, rip], binaryen.none);
  }

  private storePosition(cpu: Expr, pc: Expr, ccOp: () => Expr): Expr[] {
    const { m } = this;
    return [
      m.i64.store(CPU.RIP, 8, cpu, pc),
      m.if(m.i32.ge_s(ccOp(), m.i32.const(0)), m.i32.store(CPU.CC_OP, 4, m.local.get(0, binaryen.i32), ccOp())),
    ];
  }

  private own(
    name: string,
    params: readonly Type[],
    result: Type | undefined,
    locals: readonly Type[],
    body: (param: (i: number) => Expr) => Expr[],
  ): string {
    if (!this.known.has(name)) {
      this.known.add(name);
      const { m } = this;
      const param = (i: number): Expr => m.local.get(i, wasmType(params[i] as Type));
      m.addFunction(
        name,
        binaryen.createType(params.map(wasmType)),
        result === undefined ? binaryen.none : wasmType(result),
        locals.map(wasmType),
        m.block(null, body(param)),
      );
    }
    return name;
  }
}
