/**
 * CPU models and what a run's -cpu makes of them. In: `MODEL[,+FEATURE][,-FEATURE]`. Out: a CpuModel: plain data that every worker gets. Throws UsageError.
 * Source: qemu-user documentation (-cpu); the models' identities are those of the processors they are named for.
 */
import { UsageError } from '../base/errors.js';
import type { Feature, InsnRow } from '../../frontend/x86-64/insn.js';
import { CPU_FEATURES, type CpuFeature, type Level, UNGATED_ROWS } from './cpu-features.js';

export interface CpuModel {
  /** What was asked for: MODEL and changes. */
  readonly spec: string;
  readonly vendor: 'GenuineIntel' | 'AuthenticAMD';
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly modelName: string;
  /** Names of CPU_FEATURES that the guest has. */
  readonly features: readonly string[];
}

interface ModelRow extends Omit<CpuModel, 'spec' | 'features' | 'modelName'> {
  readonly has: readonly Level[];
  readonly prose: string;
}

const MODELS: Readonly<Record<string, ModelRow>> = {
  qemu64: {
    vendor: 'AuthenticAMD',
    family: 15,
    model: 107,
    stepping: 1,
    has: ['all'],
    prose: 'x86-64 as it began, with CMPXCHG16B',
  },
  Nehalem: {
    vendor: 'GenuineIntel',
    family: 6,
    model: 26,
    stepping: 3,
    has: ['all', 'nehalem'],
    prose: 'x86-64-v2: up to SSE4.2 and POPCNT',
  },
  Haswell: {
    vendor: 'GenuineIntel',
    family: 6,
    model: 60,
    stepping: 4,
    has: ['all', 'nehalem', 'haswell'],
    prose: 'x86-64-v3: AVX2, FMA, BMI, AES',
  },
  max: {
    vendor: 'AuthenticAMD',
    family: 15,
    model: 107,
    stepping: 1,
    has: ['all', 'nehalem', 'haswell', 'max'],
    prose: 'all that lift64 has (default)',
  },
};
export const DEFAULT_CPU = 'max';

const features: readonly CpuFeature[] = CPU_FEATURES;

const named = (name: string): CpuFeature | undefined =>
  features.find((f) => f.name === name || f.alias === name || f.name === name.replaceAll('-', '_'));

/** The model that -cpu asks for. Throws UsageError for a model or feature that there is not. */
export function cpuModel(spec: string): CpuModel {
  const [name = '', ...changes] = spec.split(',');
  const row = MODELS[name];
  if (row === undefined)
    throw new UsageError(`unknown CPU model '${name}': ${Object.keys(MODELS).join(', ')} (-cpu help tells more)`);
  const wanted = new Set(features.filter((f) => f.missing === undefined && row.has.includes(f.level)));
  for (const change of changes) apply(wanted, change);
  const { vendor, family, model, stepping } = row;
  return {
    spec,
    vendor,
    family,
    model,
    stepping,
    modelName: `lift64 virtual CPU (${name})`,
    features: complete(wanted).map((f) => f.name),
  };
}

/** '+avx2', '-avx2', 'avx2', 'avx2=on', 'avx2=off'. */
function apply(wanted: Set<CpuFeature>, change: string): void {
  const m = /^([+-]?)([\w.-]+?)(=on|=off)?$/.exec(change);
  const on = m?.[1] !== '-' && m?.[3] !== '=off';
  const feature = named(m?.[2] ?? '');
  if (feature === undefined) throw new UsageError(`unknown CPU feature '${change}' (-cpu help lists them)`);
  if (!on) {
    if (feature.baseline === true)
      throw new UsageError(`CPU feature '${feature.name}' is part of x86-64: it can't be switched off`);
    wanted.delete(feature);
    return;
  }
  if (feature.missing !== undefined)
    throw new UsageError(`CPU feature '${feature.name}' is not there yet: ${feature.missing}`);
  wanted.add(feature);
  for (const other of feature.needs ?? []) apply(wanted, `+${other}`);
}

/** Without what needs a feature that is not there. */
function complete(wanted: ReadonlySet<CpuFeature>): CpuFeature[] {
  let list = features.filter((f) => wanted.has(f));
  for (let before = -1; before !== list.length;) {
    before = list.length;
    const names = new Set(list.map((f) => f.name));
    list = list.filter((f) => (f.needs ?? []).every((n) => names.has(n)));
  }
  return list;
}

/** The rows of the instruction tables that the model has; the bytes of the others mean what they mean on such a processor. */
export function rowsOf(model: CpuModel, rows: readonly InsnRow[]): InsnRow[] {
  const has = new Set<Feature>(UNGATED_ROWS);
  for (const f of features) if (model.features.includes(f.name)) for (const row of f.rows ?? []) has.add(row);
  return rows.filter((row) => has.has(row.feature));
}

/** What -cpu help prints. */
export function cpuHelp(): string {
  const lines = ['CPU models:'];
  for (const [name, { prose }] of Object.entries(MODELS)) lines.push(`  ${name.padEnd(10)} ${prose}`);
  lines.push('', 'CPU features, for +FEATURE and -FEATURE behind the model:');
  const changeable = features.filter((f) => f.baseline !== true);
  const offered = changeable.filter((f) => f.missing === undefined);
  lines.push(...wrapped(offered.map((f) => (f.alias === undefined ? f.name : `${f.name} (${f.alias})`))));
  const missing = changeable.filter((f) => f.missing !== undefined);
  if (missing.length > 0) lines.push('', 'Not there yet:', ...wrapped(missing.map((f) => f.name)));
  return lines.join('\n') + '\n';
}

function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 76) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
