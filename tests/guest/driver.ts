/**
 * Runs guest programs natively and under lift64 and compares. In: the manifests of examples/ and tests/guest/. Out: results for the test files here.
 * The native run on an x86-64 Linux host is the oracle; elsewhere the exit status of the manifest is all that is checked.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = process.cwd();
export const LIFT64 = join(ROOT, 'bin', 'lift64.js');

/** A row of `runs` in a manifest. */
export interface GuestRun {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Files under {tmp} that the program writes; compared too. */
  readonly outputs?: readonly string[];
  readonly exit: { readonly status?: number; readonly signal?: number };
  readonly compare: 'exact' | 'sorted-lines' | 'none';
  readonly tags: readonly string[];
  readonly bench?: { readonly full: readonly string[]; readonly short: readonly string[] };
}

export interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly outputs: readonly (Buffer | undefined)[];
}

/** The oracle: an x86-64 Linux host. */
export const hostIsOracle = process.platform === 'linux' && process.arch === 'x64';

/** What programs tagged 'avx' need. */
const AVX_PROGRAM = ['avx2', 'xsaveopt', 'xsavec'];
const hostFlags = hostIsOracle ? readFileSync('/proc/cpuinfo', 'utf8') : '';
const hostHasAvx = AVX_PROGRAM.every((flag) => new RegExp(`^flags.* ${flag}( |$)`, 'm').test(hostFlags));

/** True when the host can run the program. */
export const hostRuns = (r: GuestRun): boolean => hostIsOracle && (!r.tags.includes('avx') || hostHasAvx);

/** What virtual machines may lack, by tag: whether a run of a program shows that it was there. */
const SHOWN: Readonly<Record<string, (o: Outcome) => boolean>> = {
  // Debug registers may take what is written, and nothing is ever hit. The program itself tells.
  'debug-registers': (o) => o.status === 0,
  // Kernels without IA32 emulation: INT 0x80 is a fault.
  int80: (o) => o.signal === null,
  // Where the hypervisor does CPUID, there may be no trap behind it (SDM volume 3, single-step exception condition).
  'cpuid-step': (o) => o.stdout.includes('identifies: 8 steps'),
};

/** Whether the outcome shows what `r` needs. One of the host that does not says nothing about lift64. */
export const showsAll = (r: GuestRun, o: Outcome): boolean => r.tags.every((tag) => SHOWN[tag]?.(o) !== false);

/** Runs of a manifest with absolute file names. */
export function loadRuns(manifest: string): GuestRun[] {
  const dir = join(ROOT, manifest);
  const { runs } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as { runs: GuestRun[] };
  return runs.map((r) => ({ ...r, file: join(dir, r.file) }));
}

/** Runs `r`: natively when `options` is undefined, else under lift64 with those options. `timeoutMs` ends a run that hangs, as a failure. */
export function runGuest(
  r: GuestRun,
  options?: readonly string[],
  timeoutMs = 200_000,
  env: Readonly<Record<string, string>> = {},
): Outcome {
  const tmp = mkdtempSync(join(tmpdir(), 'lift64-'));
  try {
    const args = r.args.map((a) => a.replaceAll('{tmp}', tmp).replaceAll('{self}', r.file));
    const [command, argv] =
      options === undefined ? [r.file, args] : [process.execPath, [LIFT64, ...options, r.file, ...args]];
    const guestEnv = r.env ?? { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' };
    const result = spawnSync(command, argv, {
      input: r.stdin ?? '',
      env: { ...guestEnv, ...env },
      cwd: tmp,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 << 20,
    });
    if (result.error !== undefined) throw new Error(`${r.name}: ${result.error.message}\n${result.stderr.toString()}`);
    const outputs = (r.outputs ?? []).map((name) => {
      try {
        return readFileSync(join(tmp, name));
      } catch {
        return undefined;
      }
    });
    const scrub = (text: string): string => text.replaceAll(tmp, '{tmp}');
    return {
      status: result.status,
      signal: result.signal,
      stdout: Buffer.from(scrub(result.stdout.toString('latin1')), 'latin1'),
      stderr: scrub(result.stderr.toString()),
      outputs,
    };
  } finally {
    rmSync(tmp, { recursive: true, force: true });
  }
}

/** What of `o` must be the same natively and under lift64; stderr without lift64's own lines. */
export function observable(r: GuestRun, o: Outcome): unknown {
  const lines = o.stdout.toString('latin1');
  const stdout = r.compare === 'sorted-lines' ? lines.split('\n').sort().join('\n') : r.compare === 'none' ? '' : lines;
  return { status: o.status, signal: o.signal, stdout, outputs: o.outputs.map((b) => b?.toString('latin1')) };
}
