/**
 * A guest that is run by a program which embeds lift64. In: the program and settings. Out: a Guest once it runs; ProgramError and UsageError before that.
 * The process has one umask, one set of standard descriptors, one terminal: so there is one guest at a time.
 */
import { signalName, signalNumber, SIGKILL, SIGRTMAX } from '../../runtime/linux/signals.js';
import { UsageError } from '../base/errors.js';
import type { GuestControls } from '../engine/embedding.js';
import { type Ended, launch } from '../engine/launch.js';
import { statsLines } from '../engine/stats-report.js';
import { checkEmbedding } from './checks-embedding.js';
import { GuestStreams } from './guest-streams.js';
import type { Guest, RunResult, StartSettings } from './run-types.js';
import { sessionOptions } from './session.js';

let running = false;

/** As `start` of the API; its pipes and captured bytes are there where the settings ask for them. `choices` are the values that standard streams may have besides those of `run`. */
export async function startGuest(program: string, settings: StartSettings, choices: readonly string[]): Promise<Guest> {
  checkEmbedding(settings, choices);
  settings.signal?.throwIfAborted();
  const sharesSignals = settings.forwardSignals ?? (settings.stdin ?? 'inherit') === 'inherit';
  if (running) throw new UsageError('a run is under way: one at a time');
  const options = sessionOptions(program, settings, (setting) => setting, sharesSignals);
  running = true;
  const streams = new GuestStreams(settings);
  let guest: StartedGuest | undefined;
  let begin: (guest: Guest) => void;
  const begun = new Promise<Guest>((resolve) => {
    begin = resolve;
  });
  const abort = (): void => {
    guest?.kill(SIGKILL);
    streams.abandon();
  };
  const end = async (): Promise<RunResult> => {
    let ended: Ended;
    try {
      // Not at once: `result` is part of the guest.
      await Promise.resolve();
      ended = await launch(options, {
        stdio: (state) => streams.open(state),
        woken: () => {
          streams.woken();
        },
        started: (controls) => {
          guest = new StartedGuest(controls, streams, result);
          begin(guest);
          if (settings.signal?.aborted === true) abort();
        },
        ended: () => {
          guest?.leave();
          streams.finish();
        },
      });
      await streams.settle();
    } finally {
      running = false;
      settings.signal?.removeEventListener('abort', abort);
    }
    settings.signal?.throwIfAborted();
    if (streams.failure !== undefined) throw streams.failure;
    return resultOf(ended, streams, settings);
  };
  settings.signal?.addEventListener('abort', abort);
  const result = end();
  // It fails before it has begun when the program can't be run.
  return Promise.race([begun, result.then(() => begun)]);
}

class StartedGuest implements Guest {
  private over = false;

  constructor(
    private readonly controls: GuestControls,
    private readonly streams: GuestStreams,
    readonly ended: Promise<RunResult>,
  ) {}

  get pid(): number {
    return this.controls.pid;
  }
  get stdin(): GuestStreams['stdin'] {
    return this.streams.stdin;
  }
  get stdout(): GuestStreams['stdout'] {
    return this.streams.stdout;
  }
  get stderr(): GuestStreams['stderr'] {
    return this.streams.stderr;
  }

  kill(signal: string | number = 'SIGTERM'): boolean {
    const number = typeof signal === 'string' ? signalNumber(signal) : signal;
    if (number === undefined || !Number.isInteger(number) || number < 1 || number > SIGRTMAX)
      throw new UsageError(`no such signal: ${String(signal)}`);
    // From its end on its workers may have been ended with a lock held.
    if (this.over) return false;
    this.controls.signal(number);
    return true;
  }

  async describe(): Promise<string> {
    return this.over ? '' : this.controls.describe();
  }

  /** The guest is over. */
  leave(): void {
    this.over = true;
  }
}

function resultOf(ended: Ended, streams: GuestStreams, settings: StartSettings): RunResult {
  return {
    status: ended.signal === 0 ? ended.code : null,
    signal: ended.signal === 0 ? null : signalName(ended.signal),
    timedOut: ended.timedOut,
    stdout: streams.bytesOf('stdout'),
    stderr: streams.bytesOf('stderr'),
    stats: ended.stats,
    profile: settings.profile === true ? statsLines(ended.stats, ended.reports) : undefined,
  };
}
