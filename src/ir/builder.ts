/**
 * Builds the IR of one TB with explicit, checked allocation of temps. In: ops and allocations in order. Out: a Tb.
 * Every misuse throws an IrError at once (DESIGN.md section 3); what needs the whole TB is verify.ts's.
 */
import type { LabelId, TempId } from '../base/ids.js';
import { checkOp } from './check-op.js';
import { GLOBALS, NB_GLOBALS } from './globals.js';
import { IrError, type IrCheck } from './ir-error.js';
import { ConstTemps, TempData } from './temps.js';
import type { OpName } from './ops.js';
import type { Imm, Op, Tb, Temp, Type } from './types.js';

/** Where a temp was allocated, for reports. */
export interface AllocSite {
  readonly pc: number;
  /** Index of the op before which it was allocated. */
  readonly op: number;
}

const GLOBALS_LIVE: readonly boolean[] = GLOBALS.map(() => true);

export class IrBuilder {
  private readonly temps: Temp[] = GLOBALS.slice();
  private readonly ops: Op[] = [];
  private readonly live: boolean[] = GLOBALS_LIVE.slice();
  /** By temp: where it was allocated. Globals and constants have holes or nothing. */
  private readonly sitePcs: number[] = [];
  private readonly siteOps: number[] = [];
  private readonly consts = new ConstTemps(this.temps);
  private labels = 0;
  private insns = 0;
  private curPc: number;

  /** @param pc guest address of the TB's first instruction */
  constructor(readonly pc: number) {
    this.curPc = pc;
  }

  /** Allocates a temp. It must be freed before finish(). */
  temp(type: Type, kind: 'ebb' | 'tb' = 'ebb'): TempId {
    const id = this.temps.length as TempId;
    this.temps.push(new TempData(id, type, kind, id - NB_GLOBALS, undefined, undefined));
    this.live.push(true);
    this.sitePcs[id] = this.curPc;
    this.siteOps[id] = this.ops.length;
    return id;
  }

  /** The constant temp of `type` and `value` (reduced to the type's width); it needs no free. */
  constant(type: Type, value: bigint | number): TempId {
    const id = this.consts.of(type, value);
    if (id === this.live.length) this.live.push(true);
    return id;
  }

  i32(value: number | bigint): TempId {
    return this.constant('i32', value);
  }

  i64(value: number | bigint): TempId {
    return this.constant('i64', value);
  }

  /** Frees a temp. Throws IrError for globals, constants, double frees and ids out of range. */
  free(id: TempId): void {
    const t = this.lookup(id, 'free');
    if (t.kind === 'global') this.fail('free-global', `frees the global ${t.name}`, id);
    if (t.kind === 'const') this.fail('free-const', `frees the constant ${t.name}`, id);
    if (this.live[id] !== true) this.fail('double-free', `frees ${t.name} twice`, id);
    this.live[id] = false;
  }

  label(): LabelId {
    return this.labels++ as LabelId;
  }

  /** Marks the start of the guest instruction at `pc`; `ccOp` as insn_start's row says. */
  insnStart(pc: number, ccOp: number): void {
    this.curPc = pc;
    this.insns++;
    this.emit('insn_start', [], [pc, ccOp]);
  }

  /** Guest pc of the current instruction. */
  get insnPc(): number {
    return this.curPc;
  }

  /** Appends an op: `args` outputs first. Checks count, types, liveness, writes to constants and immediates. */
  emit(name: OpName, args: readonly TempId[], imms: readonly Imm[] = []): void {
    const op: Op = { name, args, imms };
    this.ops.push(op);
    const fault = checkOp(op, this.temps);
    if (fault !== undefined) this.fail(fault.check, fault.message, fault.temp);
    for (const id of args)
      if (this.live[id] !== true)
        this.fail('use-after-free', `uses ${this.temps[id]?.name ?? ''} after it was freed`, id);
  }

  /** Closes the TB of `size` guest bytes. Throws IrError when a temp was not freed. */
  finish(size: number): Tb {
    for (const t of this.temps) {
      if ((t.kind === 'ebb' || t.kind === 'tb') && this.live[t.id] === true)
        this.fail('leak', `${t.name} is not freed at the end of the TB`, t.id, false);
    }
    return this.snapshot(size);
  }

  private snapshot(size: number): Tb {
    return { pc: this.pc, size, insns: this.insns, temps: this.temps, ops: this.ops, labels: this.labels };
  }

  private lookup(id: TempId, what: string): Temp {
    const t = this.temps[id];
    if (t === undefined)
      this.fail('temp-range', `${what} of temp ${String(id)}: there are ${String(this.temps.length)}`);
    return t;
  }

  private site(temp: TempId): AllocSite | undefined {
    const pc = this.sitePcs[temp];
    const op = this.siteOps[temp];
    return pc === undefined || op === undefined ? undefined : { pc, op };
  }

  private fail(check: IrCheck, message: string, temp?: TempId, atOp = true): never {
    throw new IrError({
      check,
      message,
      tb: this.snapshot(0),
      pc: this.curPc,
      ...(atOp ? { op: this.ops.length - 1 } : {}),
      ...(temp === undefined ? {} : { temp, site: this.site(temp) }),
    });
  }
}
