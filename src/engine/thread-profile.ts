/**
 * What a guest thread spends its time on, for --profile: system calls by name, and samples of V8's profiler by tier and region. In: calls, and the profiler of this worker. Out: a ThreadReport, without what was interpreted.
 */
import type { Profiler, Session } from 'node:inspector';
import { rowOf } from '../../runtime/linux/table.js';
import type { CallFigures, Share, ThreadReport } from './stats.js';

/** Microseconds between samples. */
const INTERVAL_US = 1000;
/** Functions of this worker's code that stand for what is done within them (guest-thread.ts, translator.ts, compiled-code.ts). */
const WITHIN: ReadonlyMap<string, Share> = new Map([
  ['translate', 'translation'],
  ['warm', 'translation'],
  ['oneShot', 'translation'],
  ['syscall', 'system calls'],
  ['int80', 'system calls'],
  ['installCode', 'installing code'],
  ['install', 'installing code'],
  ['(garbage collector)', 'garbage collection'],
]);
/** Name of a region's function (backend-wasm/compiler/module.ts). */
const REGION = /^r\d+_([0-9a-f]+)$/;

export class ThreadProfile {
  private readonly calls = new Map<number, { count: number; ms: number }>();
  private readonly session: Session;

  constructor() {
    const inspector = process.getBuiltinModule('node:inspector');
    this.session = new inspector.Session();
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    this.session.post('Profiler.start');
  }

  /** Runs the handler of system call `nr`. */
  timed(nr: number, call: () => void): void {
    const start = performance.now();
    call();
    const ms = performance.now() - start;
    const known = this.calls.get(nr);
    if (known === undefined) this.calls.set(nr, { count: 1, ms });
    else {
      known.count++;
      known.ms += ms;
    }
  }

  /** Ends the profile. `symbol`: name of a guest address. */
  finish(symbol: (pc: number) => string): Omit<ThreadReport, 'interpreted'> {
    const shares: Partial<Record<Share, number>> = {};
    const regions: Record<string, number> = {};
    let profile: Profiler.Profile | undefined;
    // A session of one's own thread answers at once.
    this.session.post('Profiler.stop', (_error, result) => {
      ({ profile } = result);
    });
    this.session.disconnect();
    if (profile !== undefined) sortSamples(profile, shares, regions, symbol);
    const calls: Record<string, CallFigures> = {};
    for (const [nr, figures] of this.calls) calls[rowOf(nr)?.name ?? String(nr)] = figures;
    return { shares, regions, calls };
  }
}

function sortSamples(
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
  shares: Partial<Record<Share, number>>,
  regions: Record<string, number>,
  symbol: (pc: number) => string,
): void {
  /** By node: what its own samples are, and the region that it is in. */
  const kinds = new Map<number, { readonly share: Share; readonly region: string | undefined }>();
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const root = { share: 'other' as const, region: undefined };
  const visit = (id: number, above: { readonly share: Share; readonly region: string | undefined }): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { functionName, url } = node.callFrame;
    let here = above;
    if (url.startsWith('wasm:')) {
      const pc = REGION.exec(functionName)?.[1];
      if (pc !== undefined) {
        const name = symbol(parseInt(pc, 16));
        here = { share: 'compiled code', region: name === '' ? `0x${pc}` : name };
      } else if (above.region === undefined) here = { share: 'interpreter', region: undefined };
    } else {
      const share = WITHIN.get(functionName);
      here = {
        share: share ?? (above.share === 'compiled code' || above.share === 'interpreter' ? 'other' : above.share),
        region: undefined,
      };
    }
    kinds.set(id, here);
    for (const child of node.children ?? []) visit(child, here);
  };
  const [first] = nodes;
  if (first !== undefined) visit(first.id, root);
  samples.forEach((id, n) => {
    const { share, region } = kinds.get(id) ?? root;
    const ms = (timeDeltas[n] ?? 0) / 1000;
    shares[share] = (shares[share] ?? 0) + ms;
    if (region !== undefined) regions[region] = (regions[region] ?? 0) + ms;
  });
}
