/**
 * A translated block in the code arena, as interpreter, engine and compile worker see it: header, bytecode, instruction table. In: nothing. Out: offsets in bytes from the header's address.
 * Written once under PCB.TRANSLATE_LOCK; STATE, HEAT, SLOT and the link cells (in the bytecode, backend-wasm/bytecode/opcodes.ts) change later, each by one aligned atomic store; so do the hints from TARGETS on, by plain ones.
 */
export const TB = {
  /** i64: guest pc. */
  PC: 0x00,
  /** i32: next header in the hash chain, 0 end. */
  HASH_NEXT: 0x08,
  /** i32, TB_STATE. */
  STATE: 0x0c,
  /** i32: counts down at every entry by the interpreter; below 0 the interpreter leaves with EXIT.HOT, once. Set to HEAT_OFF when asked. */
  HEAT: 0x10,
  /** i32: function-table slot of the compiled region headed here; 0 none. */
  SLOT: 0x14,
  /** i32: guest bytes. */
  SIZE: 0x18,
  /** i32: TbId. */
  ID: 0x1c,
  /** i32: guest instructions. */
  INSNS: 0x20,
  /** i32: address of the instruction table: INSNS rows of 16 bytes { i32 offset of the first bytecode op from the first of all, i32 CC_OP or -1, i64 pc }, ascending. */
  INSN_TABLE: 0x24,
  /** i32: TB_FLAG bits. */
  FLAGS: 0x28,
  /** i32: bytes of everything from header to the end of the instruction table. */
  ARENA_SIZE: 0x2c,
  /** i32 twice: offsets of the link cells from the header, 0 none. */
  LINK0: 0x30,
  LINK1: 0x34,
  /** u32, TARGETS_KEPT of them: low halves of the pcs that the TB's indirect call or jump has gone to in the interpreter, the frequent ones to the front, 0 none. Hints: threads write them as they like. */
  TARGETS: 0x38,
  /** i32: how often it has gone elsewhere once those were taken. */
  OTHER_TARGETS: 0x4c,
  /** i32: accesses by the interpreter to a page whose next page does not allow as much, such as the last one of a mapping: the fast look at the permission does not do for them. A hint. */
  EDGES: 0x50,
  /** The first bytecode op, at a multiple of 8. */
  CODE: 0x58,
} as const;
export const TARGETS_KEPT = 5;

export const TB_STATE = { VALID: 1, /** Its guest bytes changed: look its pc up again. */ DEAD: 2 } as const;
export const TB_FLAG = {
  /** Executed once and not entered in the hash table. */
  ONE_SHOT: 1,
  /** Compares its guest bytes with those translated at every entry (pages that are written to often). */
  SELF_CHECK: 2,
  /** Encoded as lifted, without the optimiser: most code runs a few times. */
  COLD: 4,
  /** A COLD one whose region the compiler has been asked for. */
  ASKED: 8,
  /** Comes from the code store on disk. */
  STORED: 16,
} as const;
export const HEAT_OFF = 0x7fff_ffff;

/** Multiplier of the hashes below (2**32 divided by the golden ratio). */
export const HASH_MULTIPLIER = 0x9e3779b1;

/** Bucket of `pc` in a hash table of 2**bits heads: the top bits of (low half xor high half) times HASH_MULTIPLIER. The AssemblyScript sources do the same. */
export function pcHash(pc: number, bits: number): number {
  const folded = (pc >>> 0) ^ Math.floor(pc / 2 ** 32);
  return Math.imul(folded, HASH_MULTIPLIER) >>> (32 - bits);
}

/** Entry of `pc` in the per-thread jump cache: its low half, xor itself shifted right by the cache's index width, masked. */
export function jumpCacheIndex(pc: number, bits: number): number {
  const lo = pc >>> 0;
  return (lo ^ (lo >>> bits)) & ((1 << bits) - 1);
}
