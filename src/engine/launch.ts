/**
 * Runs a program: memory, kernel, first process, supervisor. In: RunOptions. Out: how it ended. Throws ProgramError when it can't be run.
 */
import { closeSync } from 'node:fs';
import { availableParallelism, getPriority } from 'node:os';
import { basename } from 'node:path';
import { EXIT_NOT_EXECUTABLE, ProgramError } from '../base/errors.js';
import { WASM_PAGES } from '../guest/memory-map.js';
import { randomBytes, seedRandom } from '../../runtime/linux/random.js';
import { hostCapabilities } from '../../runtime/process/capabilities.js';
import { createFirstProcess, hostSession } from '../../runtime/process/boot.js';
import { Kernel } from '../../runtime/process/kernel.js';
import { NetService } from '../../runtime/net/net-service.js';
import type { NetRequest } from '../../runtime/net/requests.js';
import { forwardHostSignals, stopLikeGuest } from '../../runtime/threads/host-signals.js';
import { HostReader } from '../../runtime/threads/host-reader.js';
import { type ExitStatus, Supervisor } from '../../runtime/threads/supervisor.js';
import { type GuestTree, hasTree, makeTree } from '../../runtime/vfs/guest-tree.js';
import { inheritFiles } from '../../runtime/vfs/inherit.js';
import { HostWatches } from '../../runtime/vfs/inotify/host-watches.js';
import type { WatchRequest } from '../../runtime/vfs/kernel-port.js';
import { VFS_SIZE } from '../../runtime/vfs/layout.js';
import { MountTable } from '../../runtime/vfs/mount-table.js';
import { StreamService } from '../../runtime/vfs/streams.js';
import { HOST_TTY } from '../../runtime/vfs/terminal/tty.js';
import { HostTerminal } from '../../runtime/vfs/terminal/host-terminal.js';
import { mainVfsState } from '../../runtime/vfs/main-port.js';
import { BUILT } from './built-files.js';
import { coreModule } from './core-module.js';
import type { Embedding } from './embedding.js';
import { takeFirstWorker } from './first-worker.js';
import { keptTemplates } from './kept-templates.js';
import type { SpaceModule } from './compile-protocol.js';
import { CompileService } from './compile-service.js';
import { memoryViews } from './memory-views.js';
import type { RunOptions } from './options.js';
import { hostDirectory, latin1, type OpenedImage, openGuestImage, openImage, underPrefix } from './program-files.js';
import { quietSpace, startImage } from './process-memory.js';
import { describeGuest, signalProcess, watchGuest } from './watch-guest.js';
import { type Forked, type HotPc, SERVICE, type SpineData } from './spine.js';
import { isLeaving, readStats } from './figures.js';
import { compileAhead } from './region-store.js';
import { writePerfMap } from './v8-flags.js';
import { storeName } from './store-name.js';
import type { Stats, ThreadReport } from './stats.js';

/** At the end of lift64: how long what its guests have sent to the host may take to leave. */
const NET_PATIENCE_MS = 2000;
/** Index of the first address space that a kernel hands out. */
const FIRST_MM = 1;

/** One for all runs: a descriptor can be in the event loop once. */
const hostReader = new HostReader();

export interface Ended extends ExitStatus {
  /** Killed because its time was up. */
  readonly timedOut: boolean;
  readonly stats: Stats;
  /** Of the guest threads that have ended, under --profile. */
  readonly reports: readonly ThreadReport[];
}

/** Runs the program to its end. Throws ProgramError (126, 127) and UsageError (a directory that is not there) before anything of it runs, InternalError for bugs. */
export async function launch(o: RunOptions, embedding?: Embedding): Promise<Ended> {
  if (o.engine.perfMap) writePerfMap();
  const tree = hasTree(o.tree) ? makeTree(o.tree, o.program, o.cwd) : undefined;
  try {
    return await run(o, tree, embedding);
  } finally {
    tree?.close();
    if (o.engine.log.fd > 2) closeSync(o.engine.log.fd);
  }
}

async function run(o: RunOptions, tree: GuestTree | undefined, embedding: Embedding | undefined): Promise<Ended> {
  const directory = tree?.directory ?? (o.cwd === undefined ? undefined : hostDirectory(o.cwd));
  const open = (path: string, name: string): OpenedImage =>
    tree === undefined ? openImage(path, name) : openGuestImage(tree, path, name);
  const program = open(o.program, o.program);
  const interpreterPath = program.elf.interpreter;
  const interpreter =
    interpreterPath === undefined ? undefined : open(underPrefix(interpreterPath, o.prefix), interpreterPath);

  const memories = new Map<number, WebAssembly.Memory>();
  const memoryOf = (mm: number): WebAssembly.Memory => {
    let memory = memories.get(mm);
    if (memory === undefined) {
      memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
      memories.set(mm, memory);
    }
    return memory;
  };
  const ids = {
    uid: process.getuid?.() ?? 0,
    euid: process.geteuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    egid: process.getegid?.() ?? 0,
  };
  const kernel = Kernel.create({
    ...hostPids(o),
    ...ids,
    oneUser: o.tree.sandbox && ids.euid !== 0,
    vfsBytes: VFS_SIZE,
  });
  if (o.seed !== undefined) seedRandom(kernel, BigInt(o.seed) + 1n);

  const spine: SpineData = {
    options: o.engine,
    core: coreModule(),
    templates: keptTemplates(o.engine.cpuModel),
    prefix: o.prefix,
    tree: tree?.rows,
    cpus: availableParallelism(),
    network: o.network ?? true,
    profile: o.stats === 'all',
  };
  const { store, tier } = o.engine;
  const kept = store === undefined || tier !== 'auto' ? undefined : storeName(store, program.image.path, false);
  let ahead: Promise<unknown> | undefined;
  const state = mainVfsState(kernel, () => embedding?.woken());
  if (tree !== undefined) state.tree = new MountTable(tree.rows);
  const streams = new StreamService(state, hostReader);
  const net = new NetService(state);
  const watches = new HostWatches(state);
  const session = hostSession();
  const terminal = new HostTerminal(state, session ?? { sid: process.pid, pgid: process.pid });
  const { disabledPasses, breaks, log, cpuModel, unchecked } = o.engine;
  const compiler = new CompileService(
    kernel,
    memoryOf,
    {
      cpuModel,
      disabledPasses,
      unchecked,
      reorderMemory: breaks.includes('reorder-memory'),
      wantText: log.items.includes('out_asm'),
      keep: o.engine.store !== undefined,
    },
    (error) => {
      supervisor.die(error);
    },
  );
  const reports: ThreadReport[] = [];
  const entry = o.engine.tier === 'compiled' ? BUILT.compiledGuestWorker : BUILT.guestWorker;
  const supervisor = new Supervisor({
    kernel,
    entry,
    spine,
    memoryOf,
    onSpace: (id, mm) => {
      compiler.follow(id, mm);
    },
    onReady: () => {
      if (store !== undefined && kept !== undefined) ahead ??= compileAhead(store.directory, kept);
    },
    isLeaving: () => isLeaving(kernel),
    onStopped: (stopped) => {
      if (stopped && o.sharesSignals) terminal.whileCooked(stopLikeGuest);
    },
    onWorker: (worker, id) => {
      compiler.addWorker(worker, id);
    },
    services: new Map<string, (data: unknown) => void>([
      [
        SERVICE.REPORT,
        (report) => {
          reports.push(report as ThreadReport);
        },
      ],
      [
        SERVICE.STREAM,
        (stream) => {
          streams.request(stream as number);
        },
      ],
      [
        SERVICE.NET,
        (request) => {
          net.request(request as NetRequest);
        },
      ],
      [
        SERVICE.WATCH,
        (request) => {
          watches.request(request as WatchRequest);
        },
      ],
      [
        SERVICE.WAKE,
        () => {
          embedding?.woken();
        },
      ],
      [
        SERVICE.TERMINAL,
        () => {
          terminal.serve();
        },
      ],
      [
        SERVICE.HOT,
        (hot) => {
          compiler.request(hot as HotPc);
        },
      ],
      [
        SERVICE.COMPILED,
        (module) => {
          compiler.share(module as SpaceModule);
        },
      ],
      [
        SERVICE.FORKED,
        (forked) => {
          compiler.inherit(forked as Forked);
        },
      ],
    ]),
  });
  supervisor.prepare(takeFirstWorker(entry));

  const image = startImage(memoryOf(FIRST_MM), o.engine, {
    program: program.image,
    interpreter: interpreter?.image,
    argv: o.argv.map(latin1),
    env: o.env.map(latin1),
    execfn: latin1(o.program),
    stackSize: o.stackSize,
    random: randomBytes(kernel, 16),
    ids,
  });
  if (typeof image === 'number')
    throw new ProgramError(`${o.program}: its segments do not fit into the guest's memory`, EXIT_NOT_EXECUTABLE);

  const files = inheritFiles(state, embedding?.stdio(state), directory);
  const task = createFirstProcess(kernel, {
    comm: basename(o.program).slice(0, 15),
    cpu: image.cpu,
    files: files.table,
    fs: files.fs,
    stackLimit: BigInt(o.stackSize),
    memoryLimit: o.maxMemory,
    taskLimit: o.maxProcs,
    ...session,
    terminal: terminal.isControlling ? HOST_TTY : -1,
    nice: getPriority(),
    capabilities: hostCapabilities(),
  });
  const { mmRecord } = task;
  mmRecord.layout = image.layout;
  mmRecord.exe = program.image.path;
  const stopForwarding = o.sharesSignals
    ? forwardHostSignals(kernel, () => terminal.foreground || task.group.pgid)
    : undefined;
  const dumpSource = {
    kernel,
    prefix: o.prefix,
    views: (mm: number) => (memories.has(mm) ? memoryViews(memoryOf(mm)) : undefined),
  };
  const watch = watchGuest(o, dumpSource, task.group);
  try {
    const running = supervisor.run(task.index);
    embedding?.started({
      pid: task.tid,
      signal: (signal) => {
        signalProcess(kernel, task.group, signal);
      },
      describe: () => describeGuest(dumpSource, 'asked for'),
    });
    const status = { ...(await running), timedOut: watch.timedOut() };
    for (const [mm, memory] of memories) if (kernel.mm(mm).refs > 0) quietSpace(memoryViews(memory)).writeAll();
    return { ...status, stats: { ...readStats(kernel), ...compiler.figures }, reports };
  } finally {
    embedding?.ended();
    process.umask(files.umask);
    stopForwarding?.();
    watch.stop();
    watches.close();
    hostReader.idle();
    await net.close(NET_PATIENCE_MS);
    terminal.close();
    await ahead;
    await compiler.close();
    closeSync(program.image.hostFd);
    if (interpreter !== undefined) closeSync(interpreter.image.hostFd);
  }
}

/** The first process has lift64's own ids, but in a sandbox those of a first process. */
const hostPids = (o: RunOptions): { readonly firstTid: number; readonly hostPpid: number } =>
  o.tree.sandbox ? { firstTid: 1, hostPpid: 0 } : { firstTid: process.pid, hostPpid: process.ppid };
