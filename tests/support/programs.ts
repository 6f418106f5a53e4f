/** "Guest programs" of the kernel's tests: JS functions that make system calls. In: a Machine. Out: the exit code; results in guest memory from RESULT on. */
import { HANDLER, type Machine } from './machine.js';

/** Words that tests look at: byte address of word i is RESULT + 4 * i. */
export const RESULT = 0x10_0000;
/** The word that spinners count up. */
const SPINS = 40;
/** The word that holds children back until it is set. */
const GO = 50;
/** Stacks of threads: thread i's ends here. */
const stackOf = (i: number): number => 0x40_0000 + (i + 1) * 0x1_0000;
/** TID words and locks. */
const TID = 0x11_0000;
const LOCK = 0x12_0000;
const SCRATCH = 0x13_0000;

/** CLONE_VM|FS|FILES|SIGHAND|THREAD|SYSVSEM|SETTLS|PARENT_SETTID|CHILD_CLEARTID: pthread_create's. */
const THREAD = 0x3d0f00;
const VM_CHILD = 0x700 | 17;

const FUTEX = 202;
const WAIT = 0;
const WAKE = 1;
const CMP_REQUEUE = 4;
const EXIT_GROUP = 231;

function result(m: Machine, i: number, value: number): void {
  Atomics.store(m.words, RESULT / 4 + i, value);
}

function add(m: Machine, i: number, value: number): void {
  Atomics.add(m.words, RESULT / 4 + i, value);
}

function startThread(m: Machine, program: string, i: number): number {
  return m.clone(program, i, THREAD, stackOf(i), TID + 4 * i, TID + 4 * i, 0x7000 + i);
}

/** pthread_join: waits until the kernel has cleared the thread's word. */
function join(m: Machine, i: number): void {
  const at = TID + 4 * i;
  for (;;) {
    const tid = Atomics.load(m.words, at / 4);
    if (tid === 0) return;
    m.sys(FUTEX, at, WAIT, tid, 0);
  }
}

function lock(m: Machine, at: number): void {
  const { words } = m;
  if (Atomics.compareExchange(words, at / 4, 0, 1) === 0) return;
  while (Atomics.exchange(words, at / 4, 2) !== 0) m.sys(FUTEX, at, WAIT | 128, 2, 0);
}

function unlock(m: Machine, at: number): void {
  if (Atomics.exchange(m.words, at / 4, 0) === 2) m.sys(FUTEX, at, WAKE | 128, 1);
}

function sleepMs(m: Machine, ms: number): number {
  m.t.mem.writeU64(SCRATCH + m.t.task.index * 64, BigInt(Math.floor(ms / 1000)));
  m.t.mem.writeU64(SCRATCH + m.t.task.index * 64 + 8, BigInt(ms % 1000) * 1_000_000n);
  return m.sys(35, SCRATCH + m.t.task.index * 64, 0);
}

function catchSignal(m: Machine, signal: number, flags = 0): void {
  const at = SCRATCH + 0x8000 + m.t.task.index * 64;
  m.t.mem.writeU64(at, HANDLER);
  m.t.mem.writeU64(at + 8, BigInt(flags | 0x0400_0000));
  m.t.mem.writeU64(at + 16, 0x40_6000n);
  m.t.mem.writeU64(at + 24, 0n);
  m.sys(13, signal, at, 0, 8);
}

function waitPid(m: Machine, pid: number, options = 0): { pid: number; status: number } {
  const at = SCRATCH + 0xc000 + m.t.task.index * 64;
  const got = m.sys(61, pid, at, options, 0);
  return { pid: got, status: m.t.mem.readI32(at) ?? -1 };
}

/** Waits until the thread of TID word `i` sleeps on a futex: its worker may take its time. */
function untilWaiting(m: Machine, i: number): void {
  const tid = Atomics.load(m.words, TID / 4 + i);
  while ((m.t.kernel.findTask(tid)?.futexBucket ?? 0) === 0) sleepMs(m, 2);
}

/** Waits until word `i` is set. */
function untilSet(m: Machine, i: number): void {
  while (Atomics.load(m.words, RESULT / 4 + i) === 0) sleepMs(m, 1);
}

const THREADS = 6;

export const PROGRAMS: Record<string, (m: Machine) => number> = {
  exit7: () => 7,

  throws: () => {
    throw new Error('a bug on purpose');
  },

  // Threads that increment one counter under a futex lock.
  counting(m) {
    for (let i = 0; i < THREADS; i++) startThread(m, 'counter', i);
    for (let i = 0; i < THREADS; i++) join(m, i);
    return 0;
  },
  counter(m) {
    const at = RESULT / 4;
    for (let n = 0; n < 500; n++) {
      lock(m, LOCK);
      const before = m.words[at] ?? 0;
      if (n % 50 === 0) m.sys(24);
      m.words[at] = before + 1;
      unlock(m, LOCK);
    }
    result(m, 10 + m.arg, Number(m.t.cpu.fsBase));
    return 0;
  },

  // Threads in turn: workers are used again.
  inTurn(m) {
    for (let n = 0; n < 100; n++) {
      const tid = startThread(m, 'increment', 0);
      if (tid < 0) return 1;
      join(m, 0);
    }
    return 0;
  },
  increment(m) {
    add(m, 0, 1);
    return 0;
  },

  // Processes that share the memory, and waiting for them.
  children(m) {
    const a = m.clone('heldBack', 30, VM_CHILD, stackOf(0));
    const b = m.clone('heldBack', 5, VM_CHILD, stackOf(1));
    result(m, 0, waitPid(m, -1, 1).pid);
    result(m, GO, 1);
    let w = waitPid(m, a);
    result(m, 1, w.pid === a ? w.status : -1);
    w = waitPid(m, -1);
    result(m, 2, w.pid === b ? w.status : -1);
    result(m, 3, waitPid(m, -1).pid);
    const c = m.clone('spinner', 0, VM_CHILD, stackOf(0));
    untilSet(m, SPINS);
    m.sys(62, c, 19);
    w = waitPid(m, c, 2);
    result(m, 4, w.status);
    m.sys(62, c, 18);
    w = waitPid(m, c, 8);
    result(m, 5, w.status);
    m.sys(62, c, 9);
    result(m, 6, waitPid(m, c).status);
    const d = m.clone('sleeper', 500_000, VM_CHILD, stackOf(0));
    sleepMs(m, 20);
    m.sys(62, d, 15);
    result(m, 7, waitPid(m, d).status);
    return 0;
  },
  heldBack(m) {
    untilSet(m, GO);
    return m.arg;
  },
  sleeper(m) {
    sleepMs(m, m.arg);
    return m.arg;
  },
  spinner(m) {
    for (;;) {
      add(m, SPINS, 1);
      m.poll();
    }
  },

  // exit_group while threads spin, wait on a futex and sleep.
  groupExit(m) {
    startThread(m, 'spinner', 0);
    startThread(m, 'futexWaiter', 1);
    startThread(m, 'longSleeper', 2);
    startThread(m, 'childWaiter', 3);
    untilSet(m, SPINS);
    untilSet(m, GO);
    untilWaiting(m, 1);
    m.sys(EXIT_GROUP, 42);
    return 0;
  },
  futexWaiter(m) {
    m.sys(FUTEX, LOCK + 64, WAIT, 0, 0);
    result(m, 0, 1);
    return 0;
  },
  longSleeper(m) {
    result(m, GO, 1);
    sleepMs(m, 1_000_000);
    result(m, 1, 1);
    return 0;
  },
  childWaiter(m) {
    m.clone('longSleeper', 0, VM_CHILD, stackOf(8));
    waitPid(m, -1);
    result(m, 2, 1);
    return 0;
  },
  exitByThread(m) {
    startThread(m, 'groupExiter', 0);
    m.sys(34);
    return 1;
  },
  groupExiter(m) {
    sleepMs(m, 10);
    m.sys(EXIT_GROUP, 9);
    return 0;
  },
  killedByThread(m) {
    startThread(m, 'selfKiller', 0);
    for (;;) m.poll();
  },
  selfKiller(m) {
    m.sys(62, m.t.task.tgid, 11);
    return 0;
  },
  // The leader ends first; its code is the process's.
  leaderFirst(m) {
    startThread(m, 'sleeper', 30);
    return 5;
  },

  // Stop the world: several stoppers, runners in loops and in waits.
  stoppers(m) {
    startThread(m, 'spinner', 4);
    startThread(m, 'napper', 5);
    untilSet(m, SPINS);
    for (let i = 0; i < 4; i++) startThread(m, 'stopper', i);
    for (let i = 0; i < 4; i++) join(m, i);
    result(m, 39, 1);
    m.sys(EXIT_GROUP, 0);
    return 0;
  },
  stopper(m) {
    const at = RESULT / 4 + SPINS;
    for (let n = 0; n < 200; n++) {
      m.t.quiesce.stopWorld(() => {
        if (Atomics.add(m.words, RESULT / 4 + 1, 1) !== 0) add(m, 2, 1);
        const before = Atomics.load(m.words, at);
        for (let spin = 0; spin < 2000; spin++) if (Atomics.load(m.words, at) !== before) add(m, 3, 1);
        Atomics.sub(m.words, RESULT / 4 + 1, 1);
      });
      add(m, 0, 1);
      m.poll();
    }
    return 0;
  },
  napper(m) {
    for (;;) {
      sleepMs(m, 1);
      m.poll();
      add(m, SPINS, 1);
    }
  },

  // Signals to a thread in a wait and in a loop.
  signalled(m) {
    catchSignal(m, 10);
    startThread(m, 'interruptedWaiter', 0);
    startThread(m, 'interruptedSpinner', 1);
    untilWaiting(m, 0);
    for (const i of [0, 1]) {
      const tid = Atomics.load(m.words, TID / 4 + i);
      result(m, 10 + i, m.sys(234, m.t.task.tgid, tid, 10));
    }
    join(m, 0);
    join(m, 1);
    return 0;
  },
  interruptedWaiter(m) {
    result(m, 0, m.sys(FUTEX, LOCK + 128, WAIT, 0, 0));
    result(m, 1, m.handled.length);
    return 0;
  },
  interruptedSpinner(m) {
    while (m.handled.length === 0) m.poll();
    result(m, 2, m.handled[0] ?? 0);
    return 0;
  },
  // A restarted futex wait goes on until the wake.
  restarted(m) {
    catchSignal(m, 10, 0x1000_0000);
    startThread(m, 'interruptedWaiter', 0);
    untilWaiting(m, 0);
    m.sys(234, m.t.task.tgid, Atomics.load(m.words, TID / 4), 10);
    sleepMs(m, 20);
    untilWaiting(m, 0);
    result(m, 5, Atomics.load(m.words, RESULT / 4 + 1));
    result(m, 6, m.sys(FUTEX, LOCK + 128, WAKE, 10));
    join(m, 0);
    return 0;
  },
  alarmed(m) {
    catchSignal(m, 14);
    const at = SCRATCH;
    // A second between: time enough to come to the second wait.
    m.t.mem.writeU64(at, 1n);
    m.t.mem.writeU64(at + 8, 0n);
    m.t.mem.writeU64(at + 16, 0n);
    m.t.mem.writeU64(at + 24, 20_000n);
    m.sys(38, 0, at, 0);
    result(m, 0, m.sys(34));
    result(m, 1, m.sys(34));
    result(m, 2, m.handled.length);
    m.sys(37, 0);
    return 0;
  },

  // Condition variable: broadcast by requeue onto the mutex.
  requeued(m) {
    for (let i = 0; i < 4; i++) startThread(m, 'conditionWaiter', i);
    for (let i = 0; i < 4; i++) untilWaiting(m, i);
    result(m, 1, m.sys(FUTEX, LOCK, CMP_REQUEUE, 1, 100, LOCK + 4, 99));
    result(m, 2, m.sys(FUTEX, LOCK, CMP_REQUEUE, 1, 100, LOCK + 4, 0));
    while (Atomics.load(m.words, RESULT / 4 + 8) === 0) sleepMs(m, 2);
    sleepMs(m, 20);
    result(m, 3, Atomics.load(m.words, RESULT / 4 + 8));
    result(m, 4, m.sys(FUTEX, LOCK, WAKE, 100));
    result(m, 5, m.sys(FUTEX, LOCK + 4, WAKE, 2));
    result(m, 6, m.sys(FUTEX, LOCK + 4, WAKE, 100));
    for (let i = 0; i < 4; i++) join(m, i);
    return 0;
  },
  conditionWaiter(m) {
    result(m, 20 + m.arg, m.sys(FUTEX, LOCK, WAIT, 0, 0));
    add(m, 8, 1);
    return 0;
  },
  bitsets(m) {
    startThread(m, 'bitsetWaiter', 0);
    startThread(m, 'bitsetWaiter', 1);
    untilWaiting(m, 0);
    untilWaiting(m, 1);
    result(m, 0, m.sys(FUTEX, LOCK, 10, 10, 0, 0, 4));
    result(m, 1, m.sys(FUTEX, LOCK, 10, 10, 0, 0, 2));
    join(m, 1);
    result(m, 2, m.sys(FUTEX, LOCK, WAKE, 10));
    join(m, 0);
    return 0;
  },
  bitsetWaiter(m) {
    return m.sys(FUTEX, LOCK, 9, 0, 0, 0, 1 << m.arg);
  },

  // A thread dies with a robust lock held.
  robust(m) {
    startThread(m, 'robustHolder', 0);
    join(m, 0);
    result(m, 0, Atomics.load(m.words, LOCK / 4));
    return 0;
  },
  robustHolder(m) {
    const head = SCRATCH + 0x4000;
    m.t.mem.writeU64(head, BigInt(head + 64));
    m.t.mem.writeU64(head + 8, BigInt(LOCK - (head + 64)));
    m.t.mem.writeU64(head + 16, 0n);
    m.t.mem.writeU64(head + 64, BigInt(head));
    Atomics.store(m.words, LOCK / 4, m.t.task.tid | (0x8000_0000 | 0));
    m.sys(273, head, 24);
    return 0;
  },

  vforked(m) {
    const start = performance.now();
    const child = m.clone('sleeper', 50, 0x4100 | 17, 0);
    result(m, 0, performance.now() - start > 45 ? 1 : 0);
    result(m, 1, waitPid(m, child).status);
    return 0;
  },

  // SIGCHLD ignored: children are reaped at once; wait gives ECHILD when none is left.
  autoReap(m) {
    m.t.mem.writeU64(SCRATCH, 1n);
    m.t.mem.write(SCRATCH + 8, new Uint8Array(24));
    m.sys(13, 17, SCRATCH, 0, 8);
    m.clone('sleeper', 10, VM_CHILD, stackOf(0));
    result(m, 0, waitPid(m, -1).pid);
    return 0;
  },
  orphan(m) {
    m.clone('orphanMaker', 0, VM_CHILD, stackOf(0));
    waitPid(m, -1);
    untilSet(m, 0);
    // It has told its parent, and may still be on its way out.
    const child = Atomics.load(m.words, RESULT / 4 + 1);
    while (m.sys(62, child, 0) === 0) sleepMs(m, 1);
    return 0;
  },
  orphanMaker(m) {
    m.clone('orphaned', 0, VM_CHILD, stackOf(1));
    return 0;
  },
  orphaned(m) {
    const parent = m.sys(110);
    // The one that made this process may still be on its way out.
    while (parent !== 1 && m.sys(110) === parent) sleepMs(m, 1);
    result(m, 1, m.sys(39));
    result(m, 0, m.sys(110));
    return 0;
  },
};
