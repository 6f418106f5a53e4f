/**
 * The dispatcher between interpreter and compiled regions. In: a CPU block with rip. Out: the exit reason; at every exit the CPU state is that of an instruction boundary.
 * Source: DESIGN.md section 4.
 */
import {
  CPU_CUR_OP,
  CPU_CC_OP,
  CPU_CUR_TB,
  CPU_EXIT_ARG0,
  CPU_EXIT_LINK,
  CPU_EXIT_REASON,
  CPU_JUMP_CACHE,
  CPU_RIP,
  CPU_RUN_FLAGS,
  EXIT_HOT,
  EXIT_INSTALL,
  EXIT_TRANSLATE,
  HASH_MULTIPLIER,
  HEAT_OFF,
  JUMP_CACHE_BITS,
  RUN_FLAG_INTERP_ONLY,
  RUN_FLAG_NO_CHAIN,
  TB_CODE,
  TB_HASH,
  TB_HASH_BITS,
  TB_HASH_NEXT,
  TB_HEAT,
  TB_INSN_TABLE,
  TB_INSNS,
  TB_PC,
  TB_SLOT,
  TB_STATE,
  TB_STATE_VALID,
} from './gen/constants';
import { interpret } from './gen/interpret';

/** Runs from rip until JavaScript is needed. */
export function run(cpu: i32): i32 {
  const c = <usize>cpu;
  const tb = resolve(c, 0);
  return tb == 0 ? load<i32>(c + CPU_EXIT_REASON) : interpret(c, tb);
}

/** What a table slot without a region of its own holds: back to the dispatcher, which interprets; or, when another thread has the region, EXIT_INSTALL. */
export function slotStub(cpu: i32): i32 {
  const c = <usize>cpu;
  const tb = lookup(c);
  if (tb == 0) return 0;
  const slot = load<i32>(tb + TB_SLOT);
  if (slot == 0) return 0;
  store<i64>(c + CPU_EXIT_ARG0, slot);
  store<i32>(c + CPU_EXIT_REASON, EXIT_INSTALL);
  return EXIT_INSTALL;
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
      const reason = call_indirect<i32>(<u32>slot, <i32>cpu);
      if (reason != 0) {
        store<i32>(cpu + CPU_EXIT_REASON, reason);
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

/** Valid TB at rip: jump cache, then hash table (src/guest/tb-header.ts has the hashes). */
function lookup(cpu: usize): usize {
  const pc = load<u64>(cpu + CPU_RIP);
  const lo = <u32>pc;
  const entry = cpu + CPU_JUMP_CACHE + 16 * <usize>((lo ^ (lo >> JUMP_CACHE_BITS)) & ((1 << JUMP_CACHE_BITS) - 1));
  let tb = <usize>load<u32>(entry + 8);
  if (tb != 0 && load<u64>(entry) == pc && load<i32>(tb + TB_STATE) == TB_STATE_VALID) {
    // The region may have come after the entry: compiled code that looks here finds it from now on.
    store<i32>(entry + 12, load<i32>(tb + TB_SLOT));
    return tb;
  }
  const bucket = ((lo ^ (<u32>(pc >> 32))) * HASH_MULTIPLIER) >> (32 - TB_HASH_BITS);
  tb = <usize>atomic.load<u32>(TB_HASH + 4 * <usize>bucket);
  while (tb != 0) {
    if (load<u64>(tb + TB_PC) == pc && load<i32>(tb + TB_STATE) == TB_STATE_VALID) {
      store<u64>(entry, pc);
      store<u32>(entry + 8, <u32>tb);
      store<i32>(entry + 12, load<i32>(tb + TB_SLOT));
      return tb;
    }
    tb = <usize>load<u32>(tb + TB_HASH_NEXT);
  }
  return 0;
}

/** Leaves at the boundary before `target`. */
export function leave(cpu: usize, target: i64, reason: i32): i32 {
  store<i64>(cpu + CPU_RIP, target);
  store<i32>(cpu + CPU_EXIT_REASON, reason);
  return reason;
}

/** The op at `pc` can't be done: rip and cc_op become those of its instruction (the last row of the table that starts at or before it). */
export function fault(cpu: usize, pc: usize): i32 {
  store<i32>(cpu + CPU_CUR_OP, <i32>pc);
  const tb = <usize>load<u32>(cpu + CPU_CUR_TB);
  const offset = <i32>(pc - <usize>load<u32>(tb + TB_CODE));
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
  return load<i32>(cpu + CPU_EXIT_REASON);
}
