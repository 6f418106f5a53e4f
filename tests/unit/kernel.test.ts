/** The kernel with real workers: threads, processes, signals, futexes, stop the world, the end of lift64. "Guest code" is in tests/support/programs.ts. */
import { describe, expect, test } from '@jest/globals';
import { allocCpu } from '../../runtime/threads/cpu-slots.js';
import { createFirstProcess } from '../../runtime/process/boot.js';
import { Kernel } from '../../runtime/process/kernel.js';
import { GROUP_STATE } from '../../runtime/process/layout.js';
import { Supervisor, type ExitStatus } from '../../runtime/threads/supervisor.js';
import { PROGRAMS, RESULT } from '../support/programs.js';
import { makeMemory, STACK_TOP } from '../support/fake-thread.js';

const ENTRY = new URL('../support/program-worker.js', import.meta.url);

interface Run {
  readonly status: ExitStatus;
  readonly kernel: Kernel;
  /** Result word i. */
  readonly at: (i: number) => number;
}

async function run(program: string): Promise<Run> {
  const kernel = Kernel.create({ firstTid: 4459, hostPpid: 77, uid: 1000, euid: 1000, gid: 100, egid: 100 });
  const memory = makeMemory();
  const words = new Int32Array(memory.buffer as SharedArrayBuffer);
  const cpu = allocCpu(words);
  const view = new DataView(memory.buffer);
  view.setBigInt64(cpu + 8 * 15, BigInt(Object.keys(PROGRAMS).indexOf(program)), true);
  view.setBigInt64(cpu + 8 * 4, BigInt(STACK_TOP), true);
  const task = createFirstProcess(kernel, { comm: program, cpu, files: 0, fs: 0 });
  const supervisor = new Supervisor({ kernel, entry: ENTRY, spine: undefined, memoryOf: () => memory });
  const status = await supervisor.run(task.index);
  return { status, kernel, at: (i) => Atomics.load(words, RESULT / 4 + i) };
}

/** Only the first process's records are left. */
function expectClean(kernel: Kernel): void {
  expect([...kernel.allGroups()].map((g) => [g.tgid, g.state])).toEqual([[4459, GROUP_STATE.ZOMBIE]]);
  expect([...kernel.allTasks()].map((t) => t.tid)).toEqual([4459]);
}

describe('end of the first process', () => {
  test('its exit code is the status', async () => {
    const { status, kernel } = await run('exit7');
    expect(status).toEqual({ code: 7, signal: 0, stuck: false });
    expectClean(kernel);
  });

  test('an exception in a worker rejects', async () => {
    await expect(run('throws')).rejects.toThrow('a bug on purpose');
  });

  test('exit_group ends threads that spin, wait, sleep and wait for children', async () => {
    const { status, at, kernel } = await run('groupExit');
    expect(status).toEqual({ code: 42, signal: 0, stuck: false });
    // All have left by themselves: lift64 did not end them after its time of grace.
    expect(kernel.initGroup.state).toBe(GROUP_STATE.ZOMBIE);
    expect([at(0), at(1), at(2)]).toEqual([0, 0, 0]);
  });

  test('exit_group by a thread while the leader waits', async () => {
    const { status, kernel } = await run('exitByThread');
    expect(status).toEqual({ code: 9, signal: 0, stuck: false });
    expectClean(kernel);
  });

  test('a fatal signal', async () => {
    expect((await run('killedByThread')).status).toEqual({ code: 0, signal: 11, stuck: false });
  });

  test('the leader ends first', async () => {
    expect((await run('leaderFirst')).status).toEqual({ code: 5, signal: 0, stuck: false });
  });
});

describe('threads', () => {
  test('a futex lock, TLS, join by CLONE_CHILD_CLEARTID', async () => {
    const { status, at, kernel } = await run('counting');
    expect(status).toEqual({ code: 0, signal: 0, stuck: false });
    expect(at(0)).toBe(6 * 500);
    expect([0, 1, 2, 3, 4, 5].map((i) => at(10 + i))).toEqual([0, 1, 2, 3, 4, 5].map((i) => 0x7000 + i));
    expectClean(kernel);
  });

  test('a hundred in turn', async () => {
    const { status, at } = await run('inTurn');
    expect(status.code).toBe(0);
    expect(at(0)).toBe(100);
  });

  test('requeue', async () => {
    const { at } = await run('requeued');
    // Wrong expected value: EAGAIN; 1 woken + 3 moved; one has gone on; none is left there; 2, then 1.
    expect([1, 2, 3, 4, 5, 6].map(at)).toEqual([-11, 4, 1, 0, 2, 1]);
    expect([20, 21, 22, 23].map(at)).toEqual([0, 0, 0, 0]);
  });

  test('bitsets', async () => {
    const { at } = await run('bitsets');
    expect([0, 1, 2].map(at)).toEqual([0, 1, 1]);
  });

  test('robust list of a thread that dies with the lock', async () => {
    const { at } = await run('robust');
    expect(at(0) >>> 0).toBe(0xc000_0000);
  });

  test('stop the world: one at a time, and nobody runs meanwhile', async () => {
    const { status, at } = await run('stoppers');
    expect(status.code).toBe(0);
    expect(at(0)).toBe(800);
    expect([at(1), at(2), at(3)]).toEqual([0, 0, 0]);
    expect(at(39)).toBe(1);
    expect(at(40)).toBeGreaterThan(0);
  });
});

describe('processes', () => {
  test('wait4: exit codes, ECHILD, stop, continue, kill', async () => {
    const { status, at } = await run('children');
    expect(status.code).toBe(0);
    expect(at(0)).toBe(0);
    expect([at(1), at(2)]).toEqual([30 << 8, 5 << 8]);
    expect(at(3)).toBe(-10);
    expect([at(4), at(5), at(6), at(7)]).toEqual([(19 << 8) | 0x7f, 0xffff, 9, 15]);
  });

  test('vfork waits for the end of the child', async () => {
    const { at } = await run('vforked');
    expect([at(0), at(1)]).toEqual([1, 50 << 8]);
  });

  test('ignored SIGCHLD', async () => {
    expect((await run('autoReap')).at(0)).toBe(-10);
  });

  test('an orphan has parent 1 and is reaped', async () => {
    const { at, kernel } = await run('orphan');
    expect(at(0)).toBe(1);
    expectClean(kernel);
  });
});

describe('signals', () => {
  test('reach a thread in a futex wait and one in a loop', async () => {
    const { at } = await run('signalled');
    expect([at(10), at(11)]).toEqual([0, 0]);
    expect([at(0), at(1), at(2)]).toEqual([-4, 1, 10]);
  });

  test('SA_RESTART: the wait goes on until the wake', async () => {
    const { at } = await run('restarted');
    expect([at(5), at(6), at(0), at(1)]).toEqual([0, 1, 0, 1]);
  });

  test('an interval timer', async () => {
    const { at } = await run('alarmed');
    expect([at(0), at(1), at(2)]).toEqual([-4, -4, 2]);
  });
});
