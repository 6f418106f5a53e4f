/**
 * TBs of earlier runs become those of this process, and the hash by which they and their pages are known again. In JavaScript they took 1 us a TB and 5 us a page, in code that V8 had not optimised yet:
 * python3 -c 'print(1)' has 38,000 TBs of 700 pages. In: addresses. Out: how many were entered; a hash.
 */
import {
  PAGE_SHIFT,
  PAGE_TBS,
  PCB_ARENA_NEXT,
  PCB_BASE,
  PCB_TB_COUNT,
  TB_ARENA_SIZE,
  TB_HASH_NEXT,
  TB_HEAT,
  TB_ID,
  TB_INSN_TABLE,
  TB_PC,
  TB_SIZE,
} from './gen/constants';
import { bucketOf, tbAt } from './tb-table';

/** Bytes of a node in a page's list (src/engine/code-cache.ts), as the arena rounds them up. */
const NODE_ROOM: usize = 16;

/** As CodeCache.insert. */
function insert(tb: usize, pc: u64): void {
  const id = load<i32>(PCB_BASE + PCB_TB_COUNT);
  store<i32>(PCB_BASE + PCB_TB_COUNT, id + 1);
  store<i32>(tb + TB_ID, id);
  const last = (pc + <u64>load<u32>(tb + TB_SIZE) - 1) >> PAGE_SHIFT;
  for (let page = pc >> PAGE_SHIFT; page <= last; page++) {
    const node = <usize>load<u32>(PCB_BASE + PCB_ARENA_NEXT);
    store<u32>(PCB_BASE + PCB_ARENA_NEXT, <u32>(node + NODE_ROOM));
    const list = PAGE_TBS + 4 * <usize>page;
    store<u32>(node, load<u32>(list));
    store<u32>(node + 4, <u32>tb);
    store<u32>(list, <u32>node);
  }
  const bucket = bucketOf(pc);
  store<u32>(tb + TB_HASH_NEXT, load<u32>(bucket));
  atomic.store<u32>(bucket, <u32>tb);
}

/** The TBs that lie in the arena from `start` to `end` as the code store keeps them: enters those whose pc has none. The caller holds the translation lock. */
export function takeTbs(start: u32, end: u32, heat: i32): i32 {
  let taken = 0;
  for (let tb = <usize>start; tb < <usize>end; tb += (<usize>load<u32>(tb + TB_ARENA_SIZE) + 15) & ~15) {
    store<u32>(tb + TB_INSN_TABLE, <u32>tb + load<u32>(tb + TB_INSN_TABLE));
    store<i32>(tb + TB_HEAT, heat);
    const pc = load<u64>(tb + TB_PC);
    // Another thread may have translated some of the page after the code was invalidated.
    if (tbAt(pc) != 0) continue;
    insert(tb, pc);
    taken++;
  }
  return taken;
}

// @ts-ignore: decorator
@inline
function mix(lane: u32, word: u32): u32 {
  return rotl<u32>(lane ^ rotl<u32>(word * 0xcc9e2d51, 15), 13) * 5 + 0xe6546b64;
}

function finish(h: u32): u32 {
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

/** wordsHash of src/engine/code-store-file.ts, of the words at `address`. */
export function wordsHash(address: u32, count: i32): f64 {
  let a = <u32>count;
  let b: u32 = 0x2545f491;
  let c: u32 = 0x9e3779b1;
  let d: u32 = 0x1b873593;
  let at = <usize>address;
  const rest = at + 16 * <usize>(count >> 2);
  for (; at < rest; at += 16) {
    const first = mix(a, load<u32>(at));
    a = mix(b ^ a, load<u32>(at + 4));
    b = mix(c ^ b, load<u32>(at + 8));
    c = mix(d ^ c, load<u32>(at + 12));
    d = first;
  }
  for (const end = rest + 4 * <usize>(count & 3); at < end; at += 4) a = mix(a, load<u32>(at));
  const low = finish(mix(mix(mix(a, b), c), d));
  const high = finish(mix(mix(mix(d, c), b), a));
  return <f64>(high & 0x1fffff) * 4294967296.0 + <f64>low;
}
