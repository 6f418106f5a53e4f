/**
 * Leaving a region. In: sets of globals whose locals may differ from their home. Out: code that stores them and goes on elsewhere.
 *
 * Cold exits (faults, polls, `exit` ops) share their code, which stands behind the region's body: for each set of globals one piece that stores what the piece of
 * the biggest subset does not store, and goes on there; the last, of the empty set, returns minus CPU.EXIT_REASON. Hot exits (to other regions) and calls are in place.
 */
import binaryen from 'binaryen';
import { CPU, JUMP_CACHE_BITS, JUMP_CACHE_SIZE } from '../../src/guest/cpu-state.js';
import { G, GLOBALS } from '../../src/ir/globals.js';
import type { Temp } from '../../src/ir/types.js';
import type { Expr } from './flow.js';
import { GlobalSet } from './global-set.js';
import { labelledBlock } from './labelled-block.js';
import { type ModuleParts, REGION_RESULT } from './module-parts.js';
import { BUDGET_LOCAL, CPU_LOCAL, type Values } from './values.js';

/** Where a guest call goes. */
export type CallTarget =
  | { readonly kind: 'slot'; readonly pc: number; readonly slot: number }
  /** The region itself. */
  | { readonly kind: 'self'; readonly pc: number; readonly name: string }
  /** To rip. */
  | { readonly kind: 'indirect' };

interface ColdExit {
  readonly set: GlobalSet;
  readonly label: string;
}

export class Exits {
  private readonly m: binaryen.Module;
  private readonly cold = new Map<string, ColdExit>();
  private readonly last: ColdExit;
  // Locals of calls and indirect jumps, made at the first of them.
  private resultLocal: number | undefined;
  private budgetLocal: number | undefined;
  private entryLocal: number | undefined;
  private slotLocal: number | undefined;

  constructor(
    private readonly parts: ModuleParts,
    private readonly values: Values,
  ) {
    this.m = parts.m;
    this.last = this.coldExit(new GlobalSet());
  }

  /** Label to branch to for storing `set` and leaving by CPU.EXIT_REASON; rip, and cc_op where it is no member, have been stored. */
  label(set: GlobalSet): string {
    return (this.cold.get(set.key) ?? this.coldExit(set.clone())).label;
  }

  private coldExit(set: GlobalSet): ColdExit {
    const exit = { set, label: `X${this.cold.size}` };
    this.cold.set(set.key, exit);
    return exit;
  }

  /** The function's code: `body`, which never runs off its end, and the cold exits. */
  around(body: readonly Expr[]): Expr[] {
    const { m } = this;
    const exits = [...this.cold.values()].sort((a, b) => b.set.size - a.set.size);
    let code: Expr[] = [...body];
    exits.forEach((exit, i) => {
      code = [labelledBlock(m, exit.label, code)];
      if (exit === this.last) {
        const reason = m.i64.extend_u(m.i32.load(CPU.EXIT_REASON, 4, this.cpu()));
        code.push(m.return(m.i64.sub(m.i64.const(0n), reason)));
        return;
      }
      const parent = exits.slice(i + 1).find((e) => exit.set.includes(e.set)) ?? this.last;
      const own = exit.set.clone();
      own.subtract(parent.set);
      code.push(...this.stores(own));
      if (parent !== exits[i + 1]) code.push(m.br(parent.label));
    });
    return code;
  }

  stores(set: GlobalSet): Expr[] {
    return set.ids().map((id) => this.storeGlobal(id, this.values.global(id)));
  }

  private loads(set: GlobalSet): Expr[] {
    return set.ids().map((id) => this.loadGlobal(id));
  }

  storeGlobal(id: number, value: Expr): Expr {
    const { m } = this;
    const { type, offset = 0 } = GLOBALS[id] as Temp;
    if (type === 'v128') return m.v128.store(offset, 16, this.cpu(), value);
    return type === 'i32' ? m.i32.store(offset, 4, this.cpu(), value) : m.i64.store(offset, 8, this.cpu(), value);
  }

  /** Sets a global's local from its home. */
  loadGlobal(id: number): Expr {
    const { m } = this;
    const { type, offset = 0 } = GLOBALS[id] as Temp;
    const value =
      type === 'v128'
        ? m.v128.load(offset, 16, this.cpu())
        : type === 'i32'
          ? m.i32.load(offset, 4, this.cpu())
          : m.i64.load(offset, 8, this.cpu());
    return m.local.set(this.values.globalLocal(id), value);
  }

  /**
   * CPU.CONTROL; not 0: somebody wants this thread at a safepoint. A plain load: V8 makes a shared memory's loads where they stand, once each, as guests that spin on a word rely on, too;
   * an atomic one checks its alignment, five instructions and two registers more in each loop. What the others did before is ordered by the exit to the dispatcher.
   */
  control(): Expr {
    return this.m.i32.load(CPU.CONTROL, 4, this.cpu());
  }

  /** Within the region, on the way to `pc`: leaves when CONTROL is set. */
  poll(pc: number, set: GlobalSet): Expr {
    const { m } = this;
    return m.if(
      this.control(),
      m.block(null, [this.parts.poll(this.cpu(), m.i64.const(BigInt(pc))), m.br(this.label(set))]),
    );
  }

  /** As poll, on the way to rip, which is no member of `set`. */
  pollAtRip(set: GlobalSet): Expr {
    const { m } = this;
    return m.if(
      this.control(),
      m.block(null, [this.parts.poll(this.cpu(), this.values.global(G.rip)), m.br(this.label(set))]),
    );
  }

  /** To the region of a guest pc that is not in this one. */
  leave(pc: number, slot: number, set: GlobalSet): Expr[] {
    const stores = this.stores(set);
    const target = (): Expr => this.m.i64.const(BigInt(pc));
    if (slot === 0) return [...stores, this.m.return(target())];
    return [...stores, this.storeRip(target()), this.pollStored(target), this.tailCall(this.m.i32.const(slot))];
  }

  /** To the region of the guest pc in rip; to the dispatcher when there is none. */
  lookup(set: GlobalSet): Expr[] {
    const rip = (): Expr => this.values.global(G.rip);
    return [...this.stores(set), this.pollStored(rip), ...this.slotOfRip(), this.tailCall(this.slot())];
  }

  /** Back to the caller, with rip: to the function that called this one, if it is what the guest returns to. */
  return(set: GlobalSet): Expr[] {
    return [...this.stores(set), this.m.return(this.values.global(G.rip))];
  }

  /**
   * A guest call that goes on behind it with `reload` loaded anew, once the function called has returned `back`; any other result is the caller's.
   * When the budget does not suffice, all functions under way return to the dispatcher.
   * @param frame bytes of the host's stack that this function is reckoned to take
   */
  call(target: CallTarget, back: number, set: GlobalSet, reload: GlobalSet, frame: number): Expr[] {
    const { m, values } = this;
    const pc = (): Expr => (target.kind === 'indirect' ? values.global(G.rip) : m.i64.const(BigInt(target.pc)));
    const stores = this.stores(set);
    if (target.kind === 'slot' && target.slot === 0) return [...stores, m.return(pc())];
    this.resultLocal ??= values.newLocal('i64');
    this.budgetLocal ??= values.newLocal('i32');
    const left = m.i32.sub(m.local.get(BUDGET_LOCAL, binaryen.i32), m.i32.const(frame));
    const args = [this.cpu(), m.local.get(this.budgetLocal, binaryen.i32)];
    // Only a slot without a region needs rip, and an indirect target is in its home already.
    const before = target.kind === 'slot' ? [this.storeRip(pc())] : target.kind === 'indirect' ? this.slotOfRip() : [];
    const call =
      target.kind === 'self'
        ? m.call(target.name, args, REGION_RESULT)
        : this.parts.callSlot(target.kind === 'slot' ? m.i32.const(target.slot) : this.slot(), args);
    return [
      ...stores,
      this.pollStored(pc),
      m.if(
        m.i32.lt_s(m.local.tee(this.budgetLocal, left, binaryen.i32), m.i32.const(0)),
        m.block(null, [m.return(pc())]),
      ),
      ...before,
      m.if(
        m.i64.ne(m.local.tee(this.resultLocal, call, binaryen.i64), m.i64.const(BigInt(back))),
        m.return(m.local.get(this.resultLocal, binaryen.i64)),
      ),
      ...this.loads(reload),
    ];
  }

  /** A system call that goes on at `back` with `reload` loaded anew, once the engine has served it in place; else the region is left, for the reason that is in CPU state then. */
  syscall(back: number, set: GlobalSet, reload: GlobalSet): Expr[] {
    const { m } = this;
    const reason = this.parts.core('syscallInPlace', ['i32'], 'i32', [this.cpu()]);
    return [
      ...this.stores(set),
      this.storeRip(m.i64.const(BigInt(back))),
      m.if(reason, m.br(this.last.label)),
      ...this.loads(reload),
    ];
  }

  /** Where all state but rip has been stored: leaves when CONTROL is set. */
  private pollStored(rip: () => Expr): Expr {
    const { m } = this;
    return m.if(this.control(), m.block(null, [this.parts.poll(this.cpu(), rip()), m.br(this.last.label)]));
  }

  /**
   * Sets the slot's local to that of the region of the guest pc in rip, which is stored, by the thread's jump cache: entries { i64 pc, i32 TB header, i32 table slot }, else by the
   * core's closer look; returns to the dispatcher when there is none. A slot belongs to one pc for good, and the poll has seen to it that what was invalidated is no longer in it, so
   * an entry needs no other check.
   */
  private slotOfRip(): Expr[] {
    const { m, values } = this;
    const rip = (): Expr => values.global(G.rip);
    this.entryLocal ??= values.newLocal('i32');
    this.slotLocal ??= values.newLocal('i32');
    const entry = this.entryLocal;
    const at = (): Expr => m.local.get(entry, binaryen.i32);
    const index = m.i32.and(
      m.i32.xor(m.i32.wrap(rip()), m.i32.wrap(m.i64.shr_u(rip(), m.i64.const(BigInt(JUMP_CACHE_BITS))))),
      m.i32.const(JUMP_CACHE_SIZE - 1),
    );
    const missed = m.i32.or(m.i64.ne(m.i64.load(CPU.JUMP_CACHE, 8, at()), rip()), m.i32.eqz(this.slot()));
    const look = this.parts.core('slotOfRip', ['i32'], 'i32', [this.cpu()]);
    return [
      m.local.set(entry, m.i32.add(this.cpu(), m.i32.shl(index, m.i32.const(4)))),
      m.local.set(this.slotLocal, m.i32.load(CPU.JUMP_CACHE + 12, 4, at())),
      m.if(missed, m.if(m.i32.eqz(m.local.tee(this.slotLocal, look, binaryen.i32)), m.return(rip()))),
    ];
  }

  private slot(): Expr {
    return this.m.local.get(this.slotLocal ?? 0, binaryen.i32);
  }

  private storeRip(pc: Expr): Expr {
    return this.m.i64.store(CPU.RIP, 8, this.cpu(), pc);
  }

  private tailCall(slot: Expr): Expr {
    const { m } = this;
    return this.parts.tailCallSlot(slot, [this.cpu(), m.local.get(BUDGET_LOCAL, binaryen.i32)]);
  }

  private cpu(): Expr {
    return this.m.local.get(CPU_LOCAL, binaryen.i32);
  }
}
