/**
 * CPU state of a guest thread: a CPU block in the emulator's area, CPU_BLOCK_SIZE bytes, reached through the parameter `cpu`.
 * In: nothing. Out: offsets in bytes; the AssemblyScript sources get them through scripts/gen. Source: Intel SDM volume 1, chapter 3.
 */

export const GPR_NAMES = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;
export type GprName = (typeof GPR_NAMES)[number];
/** Register numbers as ModRM and REX encode them. */
export const GPR = {
  RAX: 0,
  RCX: 1,
  RDX: 2,
  RBX: 3,
  RSP: 4,
  RBP: 5,
  RSI: 6,
  RDI: 7,
  R8: 8,
  R9: 9,
  R10: 10,
  R11: 11,
} as const;

export const CPU = {
  /** 16 x i64. */
  REGS: 0x000,
  /** i64: pc of the next instruction; exact whenever translated code has been left. */
  RIP: 0x080,
  /** i64, see src/guest/flags.ts. */
  CC_DST: 0x088,
  CC_SRC: 0x090,
  CC_SRC2: 0x098,
  /** i32, see src/guest/flags.ts. */
  CC_OP: 0x0a0,
  /** i32: 1 or -1 (EFLAGS.DF clear or set). */
  DF: 0x0a4,
  /** i64. */
  FS_BASE: 0x0a8,
  GS_BASE: 0x0b0,
  /** i32: the bits of EFLAGS that are neither arithmetic flags nor DF: TF, IF (always set), IOPL, NT, RF, AC, ID. */
  EFLAGS_REST: 0x0b8,
  /** i32. */
  MXCSR: 0x0bc,
  /** i32: x87 control word; status word without TOP; TOP 0..7; tag bits, one a physical register, 1 = empty. */
  FPCW: 0x0c0,
  FPSW: 0x0c4,
  FPTOP: 0x0c8,
  FPTAG: 0x0cc,
  /** i64: last x87 instruction and data pointers. i32: last x87 opcode (11 bits). */
  FPIP: 0x0d0,
  FPDP: 0x0d8,
  FPOP: 0x0e0,
  /** Selectors that a guest may read back, u16 each: 2 unused (CS and SS do not change: USER_CS, USER_SS), ds, es, fs, gs. */
  SEG_SELECTORS: 0x0e8,
  /** 16 x v128. */
  XMM: 0x100,
  /** 16 x v128: upper halves of ymm, for AVX. */
  YMMH: 0x200,
  /** 8 x 16 bytes, PHYSICAL registers R0..R7: u64 significand (the MMX register), u16 sign and exponent. */
  ST: 0x300,

  /** i32, atomic: request bits for this thread (CONTROL); polled at safepoints. */
  CONTROL: 0x400,
  /** i32: why translated code was left (EXIT). 0 while running. */
  EXIT_REASON: 0x404,
  /** i64 x 2: arguments of the exit reason. */
  EXIT_ARG0: 0x408,
  EXIT_ARG1: 0x410,
  /** i32: address of the link cell that exit_tb asks to patch, 0 none. */
  EXIT_LINK: 0x418,
  /** i32: header address of the TB that runs in the interpreter. */
  CUR_TB: 0x41c,
  /** i32: bytecode address of the op that left (the instruction table maps it to pc and cc_op). */
  CUR_OP: 0x420,
  /** i32: Linux tid. */
  TID: 0x424,
  /** i32: thread slot, 0..MAX_THREADS-1. */
  SLOT: 0x428,
  /** i32: RUN flags. */
  RUN_FLAGS: 0x42c,
  /** i64: TBs entered by the interpreter, and guest instructions of them; for --stats and bench. */
  TB_EXECS: 0x430,
  INSN_EXECS: 0x438,
  /** i32: dispatch steps until the interpreter returns to JS (EXIT.YIELD) so that V8 can replace its code; -1 never. */
  FUEL: 0x440,
  /** i32, atomic: state of the thread for quiescence (THREAD_STATE). */
  STATE: 0x444,
  /** i32: CODE_GENERATION that the jump cache is valid for. */
  CACHE_GENERATION: 0x448,
  /** i32: entries of the thread's function table; a TB's slot beyond it is one that another thread has filled. */
  TABLE_SIZE: 0x44c,
  /** i32: exceptions that the first half of a 256-bit operation leaves to the second: IE DE ZE at bit 0, OE UE PE at bit 8 and above. 0 between instructions. */
  FLOAT_PENDING: 0x450,
  /** i32: bytes of the host's stack that compiled regions may take, those of the guest calls under way together. */
  STACK_BUDGET: 0x454,
  /** i32: 1 while SPLIT_WINDOW stands for the bytes around GUEST_END. */
  SPLIT_OPEN: 0x458,
  /** i32: 1 while the accesses of helpers to WATCH_PLACES are noted. */
  WATCHING: 0x45c,
  /** i32: bit n: place n has been accessed as it is watched for. */
  WATCH_HITS: 0x460,
  /** 64 bytes: 128-bit arguments and results of helpers. */
  SCRATCH: 0x480,
  /** 64 bytes for the fault records of helpers. */
  FAULT_AREA: 0x4c0,
  /** 4 watchpoints of 16 bytes { i64 guest address, i32 bytes (0: none), i32 1: reads count, too }. */
  WATCH_PLACES: 0x500,

  /** 2 * SPLIT_REACH bytes: a copy of guest memory from GUEST_END - SPLIT_REACH on, for one instruction that accesses both sides of GUEST_END at once. */
  SPLIT_WINDOW: 0x800,

  /** Temp slots of the interpreter. */
  FRAME: 0x1000,
  FRAME_END: 0x7000,
  /** Header and bytecode of the TB of one instruction that is in no table (stores into translated code). */
  ONE_SHOT: 0x7000,
  ONE_SHOT_END: 0x8000,
  /** Jump cache: JUMP_CACHE_SIZE entries of 16 bytes { i64 pc, i32 TB header, i32 table slot }. */
  JUMP_CACHE: 0x8000,
} as const;
/** More than any instruction accesses at once. */
export const SPLIT_REACH = 1024;
export const JUMP_CACHE_BITS = 11;
export const JUMP_CACHE_SIZE = 1 << JUMP_CACHE_BITS;

/** MXCSR of a new program and of a signal handler: all exceptions masked, no flags, round to nearest, denormals kept. */
export const MXCSR_START = 0x1f80;

/** Bits of CPU.CONTROL. Any bit set makes the next poll leave translated code with EXIT.POLL. */
export const CONTROL = {
  /** A signal may be deliverable. */
  SIGNAL: 1,
  /** Another thread wants this one parked at a safepoint (stop the world). */
  STOP: 2,
  /** The thread must exit. */
  EXIT: 4,
  /** Compiled code was invalidated or installed: table slots must be updated. */
  CODE: 8,
  /** Leave at once, for timers and debuggers. */
  KICK: 16,
} as const;

/** CPU.STATE: what other threads may rely on. */
export const THREAD_STATE = {
  /** Slot not in use. */
  FREE: 0,
  /** In translated code or in JS that may touch guest memory. */
  RUNNING: 1,
  /** Parked: in a wait or a safepoint; touches no guest memory and no code until it has gone back to RUNNING through the gate. */
  PARKED: 2,
} as const;

/** CPU.RUN_FLAGS. */
export const RUN_FLAG = {
  /** Every TB returns to JS (-singlestep, -d nochain, -d exec, -d cpu). */
  NO_CHAIN: 1,
  /** Never enter compiled code. */
  INTERP_ONLY: 2,
} as const;

/** CPU.EXIT_REASON: why run() came back to JS. At every exit registers, flags and rip are those of an instruction boundary. */
export const EXIT = {
  /** Still running (never seen by JS). */
  NONE: 0,
  /** No TB at rip: translate it; EXIT_LINK may name a link cell. */
  TRANSLATE: 1,
  /** SYSCALL: rip is already the next instruction. */
  SYSCALL: 2,
  /** INT 0x80: rip is already the next instruction. */
  INT80: 3,
  /** CPU exception: ARG0 = vector (EXC) | error code << 8. rip is the faulting instruction (the next one for #BP and #DB traps). */
  EXCEPTION: 4,
  /** Page fault: ARG0 = guest address, ARG1 = error code bits (PF). rip is the faulting instruction, nothing of it done; of a jump to the kernel's half all is done, and the fault is at the target. */
  PAGE_FAULT: 5,
  /** A poll saw CONTROL. */
  POLL: 6,
  /** A TB got hot: CUR_TB names it. rip is its pc. */
  HOT: 7,
  /** A store wants to write to a page that holds translated code: ARG0 = address, ARG1 = size. rip is the storing instruction, nothing of it done. */
  CODE_WRITE: 8,
  /** Fuel used up. */
  YIELD: 9,
  /** Single-stepped or unchained: one TB done. */
  STEP: 10,
  /** The instruction at rip is not implemented. */
  UNIMPLEMENTED: 11,
  /** A table slot has no function in this thread yet: ARG0 = slot. */
  INSTALL: 12,
  /** The TB at rip has found that its guest bytes are others now. */
  STALE: 13,
  /** An access crosses from a page to one whose backing is not adjacent (only at GUEST_END): ARG0 = guest address, ARG1 = size. rip is the instruction, nothing of it done. */
  SPLIT_PAGE: 14,
  /** The guest has loaded MXCSR: from now on its floating-point instructions must be precise. rip is the next instruction. */
  FLOAT_CONTROL: 15,
  /** A compiled region's check of several accesses at once failed: rip is the first of their instructions, nothing of it done. The interpreter does it, with a check an access. */
  CLOSE_LOOK: 16,
  /** An instruction run under the trap flag that delays its exception: MOV to SS. rip is the next instruction. */
  SHADOW: 17,
} as const;

/** CPU exception vectors (SDM volume 3, table 6-1). */
export const EXC = {
  DE: 0,
  DB: 1,
  BP: 3,
  OF: 4,
  UD: 6,
  NM: 7,
  DF: 8,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  XM: 19,
  /** No vector of a processor's: the #DB of INT1, which Linux tells from a step's. */
  INT1: 0xf1,
  /** The #DB of a debug register, likewise. */
  DR: 0xf2,
} as const;

/** What CS and SS hold in a 64-bit process of Linux. */
export const USER_CS = 0x33;
export const USER_SS = 0x2b;

/** Page-fault error code bits (SDM volume 3, 4.7). */
export const PF = { PRESENT: 1, WRITE: 2, USER: 4, INSTR: 16 } as const;
