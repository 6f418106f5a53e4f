/**
 * Runs a program: memory, kernel, first process, supervisor. In: RunOptions. Out: how it ended. Throws ProgramError when it can't be run.
 */
import { accessSync, closeSync, constants, fstatSync, openSync, realpathSync, statSync } from 'node:fs';
import { availableParallelism, getPriority } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, ProgramError } from '../base/errors.js';
import { WASM_PAGES } from '../guest/memory-map.js';
import { type Elf, parseElf } from '../../frontend/elf/elf.js';
import { randomBytes, seedRandom } from '../../runtime/linux/random.js';
import type { ImageFile } from '../../runtime/process/exec-image.js';
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
import { takeFirstWorker } from './first-worker.js';
import { hostElf } from './host-elf.js';
import { keptTemplates } from './kept-templates.js';
import type { SpaceModule } from './compile-protocol.js';
import { CompileService } from './compile-service.js';
import { memoryViews } from './memory-views.js';
import type { RunOptions } from './options.js';
import { quietSpace, startImage } from './process-memory.js';
import { watchGuest } from './watch-guest.js';
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

export interface Ended extends ExitStatus {
  readonly stats: Stats;
  /** Of the guest threads that have ended, under --profile. */
  readonly reports: readonly ThreadReport[];
}

/** Runs the program to its end. Throws ProgramError (126, 127) before anything of it runs, InternalError for bugs. */
export async function launch(o: RunOptions): Promise<Ended> {
  if (o.engine.perfMap) writePerfMap();
  const tree = hasTree(o.tree) ? makeTree(o.tree, o.program) : undefined;
  try {
    return await run(o, tree);
  } finally {
    tree?.close();
  }
}

async function run(o: RunOptions, tree: GuestTree | undefined): Promise<Ended> {
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
  const state = mainVfsState(kernel);
  if (tree !== undefined) state.tree = new MountTable(tree.rows);
  const streams = new StreamService(state, new HostReader());
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
      if (stopped) terminal.whileCooked(stopLikeGuest);
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

  const files = inheritFiles(state, o.stdio, tree?.directory);
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
  const stopForwarding = forwardHostSignals(kernel, () => terminal.foreground || task.group.pgid);
  const watch = watchGuest(
    o,
    { kernel, prefix: o.prefix, views: (mm) => (memories.has(mm) ? memoryViews(memoryOf(mm)) : undefined) },
    task.group,
  );
  try {
    const status = { ...(await supervisor.run(task.index)), ...watch.status() };
    for (const [mm, memory] of memories) if (kernel.mm(mm).refs > 0) quietSpace(memoryViews(memory)).writeAll();
    return { ...status, stats: { ...readStats(kernel), ...compiler.figures }, reports };
  } finally {
    process.umask(files.umask);
    stopForwarding();
    watch.stop();
    watches.close();
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

/** Bytes of a JavaScript string (argv and environment as Node decodes them), one character a byte. */
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

function underPrefix(path: string, prefix: string | undefined): string {
  if (prefix === undefined) return path;
  const inside = join(prefix, path);
  try {
    accessSync(inside);
    return inside;
  } catch {
    return path;
  }
}

/** What /proc/self/exe gives: the path with no symbolic link in it; on hosts that can't tell, the absolute one. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path);
  }
}

interface OpenedImage {
  readonly image: ImageFile;
  readonly elf: Elf;
}

/** Opens and checks a program file. `name` is what messages call it. */
function openImage(path: string, name: string): OpenedImage {
  return checkedImage(name, () => {
    const stat = statSync(path);
    if (stat.isFile()) accessSync(path, constants.X_OK);
    // Only what is no file would wait here.
    return { fd: stat.isFile() || stat.isDirectory() ? openSync(path, 'r') : -1, path: latin1(realPath(path)) };
  });
}

/** The same, in the guest's tree. */
function openGuestImage(tree: GuestTree, path: string, name: string): OpenedImage {
  return checkedImage(name, () => {
    const found = tree.open(path);
    if (found === undefined) throw new ProgramError(`${name}: no such file`, EXIT_NOT_FOUND);
    accessSync(`/proc/self/fd/${String(found.fd)}`, constants.X_OK);
    return found;
  });
}

function checkedImage(name: string, open: () => { readonly fd: number; readonly path: string }): OpenedImage {
  let opened: { readonly fd: number; readonly path: string };
  try {
    opened = open();
    const stat = opened.fd < 0 ? undefined : fstatSync(opened.fd);
    if (stat?.isDirectory() === true) throw new ProgramError(`${name}: is a directory`, EXIT_NOT_EXECUTABLE);
    if (stat?.isFile() !== true) throw new ProgramError(`${name}: not a regular file`, EXIT_NOT_EXECUTABLE);
  } catch (e) {
    if (e instanceof ProgramError) throw e;
    const { code } = e as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new ProgramError(`${name}: no such file`, EXIT_NOT_FOUND);
    if (code === 'EACCES') throw new ProgramError(`${name}: permission denied`, EXIT_NOT_EXECUTABLE);
    throw new ProgramError(`${name}: ${code ?? String(e)}`, EXIT_NOT_EXECUTABLE);
  }
  const { fd, path } = opened;
  const file = hostElf(fd);
  const elf = parseElf(file, name);
  return { elf, image: { ...elf, hostFd: fd, path, size: file.size } };
}
