/**
 * The dispatcher between interpreter and compiled regions. In: a CPU block with rip. Out: the exit reason; at every exit the CPU state is that of an instruction boundary.
 * Source: DESIGN.md section 4.
 */
import {
  CPU_CUR_OP,
  CPU_CC_OP,
  CPU_CONTROL,
  CPU_CUR_TB,
  CPU_EXIT_ARG0,
  CPU_EXIT_LINK,
  CPU_EXIT_REASON,
  CPU_FUEL,
  CPU_INSN_EXECS,
  CPU_JUMP_CACHE,
  CPU_RIP,
  CPU_RUN_FLAGS,
  CPU_STACK_BUDGET,
  CPU_TABLE_SIZE,
  CPU_TB_EXECS,
  EXIT_HOT,
  EXIT_INSTALL,
  EXIT_POLL,
  EXIT_STEP,
  EXIT_TRANSLATE,
  EXIT_YIELD,
  HEAT_OFF,
  JUMP_CACHE_BITS,
  RUN_FLAG_INTERP_ONLY,
  RUN_FLAG_NO_CHAIN,
  TB_CODE,
  TB_HEAT,
  TB_INSN_TABLE,
  TB_INSNS,
  TB_OTHER_TARGETS,
  TB_SLOT,
  TB_STATE,
  TB_STATE_VALID,
  TB_TARGETS,
} from './gen/constants';
import { interpret } from './gen/interpret';
import { tbAt } from './tb-table';

/** Runs from rip until JavaScript is needed. Gives the exit reason, which CPU state holds too. */
export function run(cpu: i32): i32 {
  const c = <usize>cpu;
  store<i32>(c + CPU_EXIT_REASON, 0);
  const tb = resolve(c, 0);
  return tb == 0 ? load<i32>(c + CPU_EXIT_REASON) : interpret(c, tb);
}

/**
 * What a table slot without a region of its own holds, a region's function (backend-wasm/compiler/region.ts) that goes on at rip: back to the dispatcher, which interprets; or, when
 * another thread has the region, EXIT_INSTALL.
 */
export function slotStub(cpu: i32, budget: i32): i64 {
  const c = <usize>cpu;
  const tb = lookup(c);
  const slot = tb == 0 ? 0 : load<i32>(tb + TB_SLOT);
  if (slot == 0) return load<i64>(c + CPU_RIP);
  store<i64>(c + CPU_EXIT_ARG0, slot);
  store<i32>(c + CPU_EXIT_REASON, EXIT_INSTALL);
  return -EXIT_INSTALL;
}

/** For the regions: table slot of the region at rip, which the jump cache holds from now on; 0 none. */
export function slotOfRip(cpu: i32): i32 {
  const tb = lookup(<usize>cpu);
  return tb == 0 ? 0 : tableSlot(<usize>cpu, tb);
}

/** The TB's slot where this thread's table has it, else 0. */
// @ts-ignore: decorator
@inline
function tableSlot(cpu: usize, tb: usize): i32 {
  const slot = load<i32>(tb + TB_SLOT);
  return slot < load<i32>(cpu + CPU_TABLE_SIZE) ? slot : 0;
}

/**
 * The TB to interpret at rip, after running compiled regions as long as there are any. 0: an exit, whose reason is in CPU state.
 * `link`: address of the link cell to patch with the TB found first, 0 none.
 */
export function resolve(cpu: usize, link: usize): usize {
  const flags = load<i32>(cpu + CPU_RUN_FLAGS);
  while (true) {
    const tb = lookup(cpu);
    if (tb == 0) {
      store<i32>(cpu + CPU_EXIT_LINK, <i32>link);
      store<i32>(cpu + CPU_EXIT_REASON, EXIT_TRANSLATE);
      return 0;
    }
    if (link != 0) {
      atomic.store<i32>(link, <i32>tb);
      link = 0;
    }
    const slot = load<i32>(tb + TB_SLOT);
    if (slot != 0 && (flags & (RUN_FLAG_INTERP_ONLY | RUN_FLAG_NO_CHAIN)) == 0) {
      if (slot >= load<i32>(cpu + CPU_TABLE_SIZE)) {
        store<i64>(cpu + CPU_EXIT_ARG0, slot);
        store<i32>(cpu + CPU_EXIT_REASON, EXIT_INSTALL);
        return 0;
      }
      const result = call_indirect<i64>(<u32>slot, <i32>cpu, load<i32>(cpu + CPU_STACK_BUDGET));
      if (result < 0) {
        store<i32>(cpu + CPU_EXIT_REASON, -(<i32>result));
        return 0;
      }
      store<i64>(cpu + CPU_RIP, result);
      // Returns do not poll.
      if (atomic.load<i32>(cpu + CPU_CONTROL) != 0) {
        store<i32>(cpu + CPU_EXIT_REASON, EXIT_POLL);
        return 0;
      }
      continue;
    }
    const heat = load<i32>(tb + TB_HEAT) - 1;
    if (heat < 0) {
      store<i32>(tb + TB_HEAT, HEAT_OFF);
      store<i32>(cpu + CPU_CUR_TB, <i32>tb);
      store<i32>(cpu + CPU_EXIT_REASON, EXIT_HOT);
      return 0;
    }
    store<i32>(tb + TB_HEAT, heat);
    return tb;
  }
}

/** Address of the jump cache's entry for `pc` (src/guest/tb-header.ts, jumpCacheIndex). */
// @ts-ignore: decorator
@inline
function cacheEntry(cpu: usize, pc: u64): usize {
  const lo = <u32>pc;
  return cpu + CPU_JUMP_CACHE + 16 * <usize>((lo ^ (lo >> JUMP_CACHE_BITS)) & ((1 << JUMP_CACHE_BITS) - 1));
}

/** TB of `pc` by the jump cache alone, 0 none; it may be dead. */
// @ts-ignore: decorator
@inline
export function cached(cpu: usize, pc: u64): usize {
  const entry = cacheEntry(cpu, pc);
  return load<u64>(entry) == pc ? <usize>load<u32>(entry + 8) : 0;
}

/** Valid TB at rip: jump cache, then hash table. */
function lookup(cpu: usize): usize {
  const pc = load<u64>(cpu + CPU_RIP);
  const entry = cacheEntry(cpu, pc);
  let tb = cached(cpu, pc);
  if (tb != 0 && load<i32>(tb + TB_STATE) == TB_STATE_VALID) {
    // The region may have come after the entry: compiled code that looks here finds it from now on.
    store<i32>(entry + 12, tableSlot(cpu, tb));
    return tb;
  }
  tb = tbAt(pc);
  if (tb == 0) return 0;
  store<u64>(entry, pc);
  store<u32>(entry + 8, <u32>tb);
  store<i32>(entry + 12, tableSlot(cpu, tb));
  return tb;
}

/** The indirect jump of the TB at `tb` goes to `target`, which is not the first in its list (src/guest/tb-header.ts): it moves up by one, or joins the list where there is room. */
export function noteTarget(tb: usize, target: u32): void {
  const list = tb + TB_TARGETS;
  for (let at = list; at < tb + TB_OTHER_TARGETS; at += 4) {
    const known = load<u32>(at);
    if (known == 0) {
      store<u32>(at, target);
      return;
    }
    if (known != target) continue;
    if (at == list) return;
    store<u32>(at, load<u32>(at - 4));
    store<u32>(at - 4, target);
    return;
  }
  store<i32>(tb + TB_OTHER_TARGETS, load<i32>(tb + TB_OTHER_TARGETS) + 1);
}

/** Adds to the counts what ran since the interpreter was entered: its fuel went down by one at every TB but the first. Under NO_CHAIN the fuel is 1, and CPU.FUEL stays. */
function account(cpu: usize, fuel: i32, insns: i64): void {
  const chaining = (load<i32>(cpu + CPU_RUN_FLAGS) & RUN_FLAG_NO_CHAIN) == 0;
  const tbs: u32 = chaining ? load<i32>(cpu + CPU_FUEL) - fuel + 1 : 1;
  if (chaining) store<i32>(cpu + CPU_FUEL, fuel);
  store<i64>(cpu + CPU_TB_EXECS, load<i64>(cpu + CPU_TB_EXECS) + <i64>tbs);
  store<i64>(cpu + CPU_INSN_EXECS, load<i64>(cpu + CPU_INSN_EXECS) + insns);
}

/** Leaves before the TB at `target`, which is one too many. */
export function outOfFuel(cpu: usize, target: u64, insns: i64): i32 {
  const reason = (load<i32>(cpu + CPU_RUN_FLAGS) & RUN_FLAG_NO_CHAIN) != 0 ? EXIT_STEP : EXIT_YIELD;
  return leave(cpu, target, reason, 1, insns);
}

/** Leaves by the exit that CPU state holds. */
export function left(cpu: usize, fuel: i32, insns: i64): i32 {
  account(cpu, fuel, insns);
  return load<i32>(cpu + CPU_EXIT_REASON);
}

/** Leaves at the boundary before `target`. */
export function leave(cpu: usize, target: u64, reason: i32, fuel: i32, insns: i64): i32 {
  store<u64>(cpu + CPU_RIP, target);
  store<i32>(cpu + CPU_EXIT_REASON, reason);
  account(cpu, fuel, insns);
  return reason;
}

/** The op at `pc` can't be done: rip and cc_op become those of its instruction (the last row of the table that starts at or before it). */
export function fault(cpu: usize, pc: usize, fuel: i32, insns: i64): i32 {
  store<i32>(cpu + CPU_CUR_OP, <i32>pc);
  const tb = <usize>load<u32>(cpu + CPU_CUR_TB);
  const offset = <i32>(pc - tb - TB_CODE);
  const table = <usize>load<u32>(tb + TB_INSN_TABLE);
  let low = 0;
  let high = load<i32>(tb + TB_INSNS) - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (load<i32>(table + 16 * <usize>mid) <= offset) low = mid;
    else high = mid - 1;
  }
  const row = table + 16 * <usize>low;
  store<i64>(cpu + CPU_RIP, load<i64>(row + 8));
  const ccOp = load<i32>(row + 4);
  if (ccOp >= 0) store<i32>(cpu + CPU_CC_OP, ccOp);
  // The instructions behind it were not done.
  return left(cpu, fuel, insns - <i64>(load<i32>(tb + TB_INSNS) - low));
}
