/**
 * Leaving a region. In: sets of globals whose locals may differ from their home. Out: code that stores them and goes on elsewhere.
 *
 * Cold exits (faults, polls, `exit` ops) share their code, which stands behind the region's body: for each set of globals one piece that stores what the piece of
 * the biggest subset does not store, and goes on there; the last, of the empty set, returns CPU.EXIT_REASON. Hot exits (to other regions) are in place.
 */
import binaryen from 'binaryen';
import { CPU, JUMP_CACHE_BITS, JUMP_CACHE_SIZE } from '../../src/guest/cpu-state.js';
import { G, GLOBALS } from '../../src/ir/globals.js';
import type { Temp } from '../../src/ir/types.js';
import type { Expr } from './flow.js';
import { GlobalSet } from './global-set.js';
import type { ModuleParts } from './module-parts.js';
import { CPU_LOCAL, type Values } from './values.js';

interface ColdExit {
  readonly set: GlobalSet;
  readonly label: string;
}

export class Exits {
  private readonly m: binaryen.Module;
  private readonly cold = new Map<string, ColdExit>();
  private readonly last: ColdExit;

  constructor(
    private readonly parts: ModuleParts,
    private readonly values: Values,
  ) {
    this.m = parts.m;
    this.last = this.coldExit(new GlobalSet());
  }

  /** Label to branch to for storing `set` and returning CPU.EXIT_REASON; rip, and cc_op where it is no member, have been stored. */
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
      code = [m.block(exit.label, code)];
      if (exit === this.last) {
        code.push(m.return(m.i32.load(CPU.EXIT_REASON, 4, this.cpu())));
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

  /** CPU.CONTROL; not 0: somebody wants this thread at a safepoint. */
  control(): Expr {
    return this.m.i32.atomic.load(CPU.CONTROL, this.cpu());
  }

  /** Within the region, on the way to `pc`: leaves when CONTROL is set. */
  poll(pc: number, set: GlobalSet): Expr {
    const { m } = this;
    return m.if(
      this.control(),
      m.block(null, [this.parts.poll(this.cpu(), m.i64.const(BigInt(pc))), m.br(this.label(set))]),
    );
  }

  /** To the region of a guest pc that is not in this one. */
  leave(pc: number, slot: number, set: GlobalSet): Expr[] {
    const { m } = this;
    return [
      ...this.stores(set),
      m.i64.store(CPU.RIP, 8, this.cpu(), m.i64.const(BigInt(pc))),
      ...(slot === 0 ? [m.return(m.i32.const(0))] : [this.poll(pc, new GlobalSet()), this.tailCall(m.i32.const(slot))]),
    ];
  }

  /**
   * To the region of the guest pc in rip, by the thread's jump cache: entries { i64 pc, i32 TB header, i32 table slot }; else to the dispatcher. A slot belongs to one pc for
   * good, and the poll has seen to it that what was invalidated is no longer in it, so an entry needs no other check.
   */
  lookup(set: GlobalSet): Expr[] {
    const { m, values } = this;
    const rip = (): Expr => values.global(G.rip);
    const entry = values.newLocal('i32');
    const at = (): Expr => m.local.get(entry, binaryen.i32);
    const slot = m.i32.load(CPU.JUMP_CACHE + 12, 4, at());
    const low = m.i32.wrap(rip());
    const index = m.i32.and(
      m.i32.xor(low, m.i32.wrap(m.i64.shr_u(rip(), m.i64.const(BigInt(JUMP_CACHE_BITS))))),
      m.i32.const(JUMP_CACHE_SIZE - 1),
    );
    const slotLocal = values.newLocal('i32');
    return [
      ...this.stores(set),
      m.if(this.control(), m.block(null, [this.parts.poll(this.cpu(), rip()), m.br(this.last.label)])),
      m.local.set(entry, m.i32.add(this.cpu(), m.i32.shl(index, m.i32.const(4)))),
      m.if(
        m.i64.eq(m.i64.load(CPU.JUMP_CACHE, 8, at()), rip()),
        m.if(m.local.tee(slotLocal, slot, binaryen.i32), this.tailCall(m.local.get(slotLocal, binaryen.i32))),
      ),
      m.return(m.i32.const(0)),
    ];
  }

  private tailCall(slot: Expr): Expr {
    return this.m.return_call_indirect(
      this.parts.table,
      slot,
      [this.cpu()],
      binaryen.createType([binaryen.i32]),
      binaryen.i32,
    );
  }

  private cpu(): Expr {
    return this.m.local.get(CPU_LOCAL, binaryen.i32);
  }
}
