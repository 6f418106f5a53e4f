/**
 * Runs workloads on engines in turn. In: a workload, engines, runs. Out: a row of times with every sample. Children are killed when the bench is interrupted.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { STATS_PREFIX, type Stats } from '../../engine/stats.js';
import { ENGINE, type Engine } from './engines.js';
import type { Workload } from './workloads.js';

/** One run of one engine. Times in seconds. */
export interface Sample {
  readonly seconds: number;
  /** From the start of the process to its end. */
  readonly wall: number;
  readonly insnsPerSecond?: number;
}

export interface EngineTimes {
  readonly samples: readonly Sample[];
  /** The first failure: a status, a signal, or other output than the native program's; none: all was well. */
  readonly failure?: string;
}

export interface Row {
  readonly name: string;
  readonly group: Workload['group'];
  readonly operations?: number;
  readonly times: Partial<Record<Engine, EngineTimes>>;
}

interface Finished {
  readonly sample: Sample;
  readonly digest: string;
  readonly failure: string | undefined;
}

/** What is asked of each run, and told of it. */
export interface MeasureOptions {
  readonly engines: readonly Engine[];
  readonly runs: number;
  /** For the code that engines keep from run to run. */
  readonly cache: string;
  /** Limit of one run, seconds. */
  readonly timeout: number;
  /** Called before each run. */
  readonly onRun: (engine: Engine, run: number) => void;
}

/** Runs commands, one at a time; `stop` ends the one that runs. */
export class Runner {
  private child: ChildProcess | undefined;
  private stopped = false;

  /** Kills what runs; `measure` then gives what it has. */
  stop(): void {
    this.stopped = true;
    this.child?.kill('SIGKILL');
  }

  get interrupted(): boolean {
    return this.stopped;
  }

  /** Engines in turn, so that a change of the machine's speed meets all of them. An engine that failed is not run again. */
  async measure(w: Workload, o: MeasureOptions): Promise<Row> {
    const samples = new Map<Engine, Sample[]>(o.engines.map((e) => [e, []]));
    const failures = new Map<Engine, string>();
    const expected = new Map<string, string>();
    const warmups = Math.max(...o.engines.map((e) => ENGINE[e].warmups));
    for (let run = -warmups; run < o.runs; run++) {
      for (const engine of o.engines) {
        if (failures.has(engine) || run < -ENGINE[engine].warmups) continue;
        const args = engine === 'interp' && w.interpArgs !== undefined ? w.interpArgs : w.args;
        const key = args.join(' ');
        o.onRun(engine, run);
        // Less work prints another checksum: the native program's is asked for, once.
        if (engine !== 'native' && o.engines.includes('native') && !expected.has(key)) {
          const native = await this.run(w, 'native', args, o);
          expected.set(key, native.digest);
        }
        const done = await this.run(w, engine, args, o);
        if (this.stopped) return row(w, samples, failures);
        const wanted = expected.get(key) ?? done.digest;
        expected.set(key, wanted);
        const failure = done.failure ?? (done.digest === wanted ? undefined : 'other output');
        if (failure !== undefined) failures.set(engine, failure);
        else if (run >= 0) samples.get(engine)?.push(scaled(done.sample, engine === 'interp' ? w.interpScale : 1));
      }
    }
    return row(w, samples, failures);
  }

  private async run(w: Workload, engine: Engine, args: readonly string[], o: MeasureOptions): Promise<Finished> {
    const { timeout } = o;
    const [command = '', ...rest] = [...ENGINE[engine].command(o.cache), w.file, ...args];
    const start = process.hrtime.bigint();
    const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], cwd: w.cwd });
    this.child = child;
    const hash = createHash('sha256');
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => hash.update(chunk));
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-20_000)));
    // A program that ends without reading its input closes the pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(w.stdin ?? '');
    let timer: NodeJS.Timeout | undefined;
    const end = await new Promise<string | undefined>((done) => {
      timer = setTimeout(() => {
        done(`no end after ${timeout} s`);
        child.kill('SIGKILL');
      }, timeout * 1000);
      child.on('error', (e) => {
        done(e.message);
      });
      child.on('close', (status, signal) => {
        done(status === 0 ? undefined : (signal ?? `status ${status ?? '?'}`));
      });
    });
    const wall = Number(process.hrtime.bigint() - start) / 1e9;
    clearTimeout(timer);
    this.child = undefined;
    const stats = statsOf(stderr);
    const seconds = w.wholeTime ? wall : (stats?.guestSeconds ?? wall);
    const words = stderr.trim().split('\n').at(-1) ?? '';
    const failure = end === undefined || words === '' ? end : `${end}: ${words}`;
    const rate = stats === undefined ? {} : { insnsPerSecond: stats.interpretedInsns / stats.guestSeconds };
    return { sample: { seconds, wall, ...rate }, digest: hash.digest('hex'), failure };
  }
}

function statsOf(stderr: string): Stats | undefined {
  const line = stderr.split('\n').find((l) => l.startsWith(STATS_PREFIX));
  return line === undefined ? undefined : (JSON.parse(line.slice(STATS_PREFIX.length)) as Stats);
}

const scaled = (s: Sample, by: number): Sample => ({ ...s, seconds: s.seconds * by });

function row(w: Workload, samples: ReadonlyMap<Engine, Sample[]>, failures: ReadonlyMap<Engine, string>): Row {
  const times: Row['times'] = {};
  for (const [engine, list] of samples) {
    const failure = failures.get(engine);
    if (list.length > 0 || failure !== undefined)
      times[engine] = { samples: failure === undefined ? list : [], ...(failure === undefined ? {} : { failure }) };
  }
  return {
    name: w.name,
    group: w.group,
    ...(w.operations === undefined ? {} : { operations: w.operations }),
    times,
  };
}
