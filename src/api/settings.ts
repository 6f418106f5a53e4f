/** What a run can be told, by the command line and by a program that embeds lift64. In: nothing. Out: the type of settings, each with its unit, range and default. */
import type { LogItem } from '../engine/log.js';
import type { PassName, Tier } from '../engine/options.js';

/** A directory or file of the host at a guest path, as --mount. */
export interface Mount {
  /** Path of the host. */
  readonly host: string;
  /** Absolute guest path. */
  readonly guest: string;
  /** False by default. */
  readonly readOnly?: boolean;
}

/** Guest addresses, `end` exclusive. */
export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** How the guest is run. A setting that is undefined has its default; one that is unknown, of another type or out of range is a UsageError. */
export interface GuestSettings {
  /** Arguments after argv[0]; none by default. */
  readonly args?: readonly string[] | undefined;
  /** argv[0]; the program's path as given by default. As -0. */
  readonly argv0?: string | undefined;
  /** The guest's whole environment; by default that of this process, in a sandbox an empty one. Names whose value is undefined are left out. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Guest path of the working directory; by default this process's own, and / where `root` or `sandbox` is set. UsageError when it is no directory. */
  readonly cwd?: string | undefined;
  /** Where the ELF interpreter and libraries are looked for first, a directory of the host. As -L. */
  readonly prefix?: string | undefined;

  /** Directory of the host that is the root of all guest paths, the program's too: nothing leads out of it. As --root. */
  readonly root?: string | undefined;
  /** As --mount; Linux hosts only, like `root`, `tmpfs` and `sandbox`. */
  readonly mounts?: readonly Mount[] | undefined;
  /** Absolute guest paths of empty directories in memory, gone at the end. As --tmpfs. */
  readonly tmpfs?: readonly string[] | undefined;
  /** No files of the host but the program (as /NAME) and what `root` and `mounts` show, no network, no environment but `env`. False by default. As --sandbox. */
  readonly sandbox?: boolean | undefined;
  /** False: sockets reach guest processes of this run alone. By default true, in a sandbox false (true is a UsageError there). As --no-net. */
  readonly network?: boolean | undefined;

  /** Bytes of address space of each guest process (RLIMIT_AS), 1 MiB or more: more gives the guest ENOMEM. No limit by default. As --max-memory. */
  readonly maxMemory?: number | undefined;
  /** Guest processes and threads at a time, 1 or more: one more gives the guest EAGAIN. By default lift64's own limit of 255 processes. As --max-procs. */
  readonly maxProcs?: number | undefined;
  /** Bytes of stack of the first thread (RLIMIT_STACK), from 64 KiB to 1 GiB; 8 MiB by default. As -s. */
  readonly stackSize?: number | undefined;
  /** Milliseconds after which the guest is killed, more than 0 and at most 2147483647; never by default. As --timeout, which takes seconds. */
  readonly timeoutMs?: number | undefined;

  /** 'interp' interprets only, 'compiled' compiles every translated block (TB) before it first runs, 'auto' (default) compiles what is hot. */
  readonly tier?: Tier | undefined;
  /** CPU model and features, MODEL[,+FEATURE][,-FEATURE]; 'max' by default. As -cpu, whose `help` lists them. */
  readonly cpu?: string | undefined;
  /** Makes the guest's random numbers the same each time: a whole number, 0 or more. Random by default. As -seed. */
  readonly seed?: number | undefined;
  /** Directory where translated code is kept for the next run; true: the user's own ($XDG_CACHE_HOME/lift64 or ~/.cache/lift64). False, nowhere, by default. As --cache-dir and --no-cache. */
  readonly cacheDir?: string | boolean | undefined;
  /** Compiled code accesses memory without permission checks, for trusted programs that compute. False by default. As --unchecked. */
  readonly unchecked?: boolean | undefined;
  /** One guest instruction a TB. False by default. As -singlestep. */
  readonly singleStep?: boolean | undefined;
  /** Entries before a TB is compiled (tier 'auto'): a whole number, 0 or more; 4000 by default. As --hot. */
  readonly hotThreshold?: number | undefined;
  /** Passes of the optimiser or the compiler to leave out; none by default. As --disable-pass. */
  readonly disabledPasses?: readonly PassName[] | undefined;
  /** Verifies the IR of every TB: what is wrong is an InternalError. False by default. As --check-ir. */
  readonly checkIr?: boolean | undefined;

  /** Logs a line each system call, into `logFile`; a path: into that file. False by default. As -strace. */
  readonly strace?: boolean | string | undefined;
  /** What else to log; nothing by default. As -d. */
  readonly log?: readonly LogItem[] | undefined;
  /** File of the log and of the report of a guest that dies by a signal, %d being this process's id; this process's standard error by default. As -D. */
  readonly logFile?: string | undefined;
  /** Log only what is at these guest addresses; all by default. As -dfilter. */
  readonly logRanges?: readonly AddressRange[] | undefined;
  /** Measures where the time goes, which costs some. False by default. As --profile. */
  readonly profile?: boolean | undefined;
}
