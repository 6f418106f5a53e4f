/**
 * Every instruction of an ELF file, decoded by us and by iced-x86. In: where its code is (elf-code.ts). Out: counts, and each form that no row, no lifter or no agreement stands for.
 *
 * Data in executable sections is told from code in three steps. A function (of a symbol or an unwind entry) is swept from start to end, and is code if all of it decodes. From those, branch targets, addresses that
 * code or relocations take, are followed until the flow ends: a trace that meets bytes that are no instruction is dropped as a whole. What neither reaches is swept last and counted apart: mostly padding and tables.
 */
import { FlowControl, OpKind } from 'iced-x86';
import { type Decode, rowKey } from '../../frontend/x86-64/decoder.js';
import type { CodeSection, ElfCode } from './elf-code.js';
import { OracleBatch, type Verdict } from './decoder-oracle.js';

/** How sure it is that bytes are code. */
export const CLASSES = ['function', 'flow', 'unreached'] as const;
export type CodeClass = (typeof CLASSES)[number];

/** What was found of one instruction form. */
export interface Finding {
  /** 'no-row': a feature that is not offered; 'no-lifter': a row alone; 'different': the decoders disagree. */
  readonly kind: 'no-row' | 'no-lifter' | 'different';
  /** iced's CPU feature, or the row's. */
  readonly feature: string;
  readonly form: string;
  readonly count: Readonly<Record<CodeClass, number>>;
  /** Address and section of the first, of the surest class. */
  readonly first: { readonly class: CodeClass; readonly address: number; readonly section: string };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type OpenFinding = Mutable<Omit<Finding, 'count'>> & { count: Record<CodeClass, number> };

export interface Sweep {
  readonly instructions: Readonly<Record<CodeClass, number>>;
  /** Functions that do not decode as a whole, traces that end in something else than an instruction. */
  readonly brokenFunctions: number;
  readonly droppedTraces: number;
  /** Bytes of the last class that no instruction was found in. */
  readonly noInstruction: number;
  /** Instructions of the first two classes by the feature of their rows. */
  readonly byFeature: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
}

interface Found {
  readonly address: number;
  readonly length: number;
  readonly note: Note;
}

/** What is counted of an instruction: the row's feature, or a finding. */
type Note = { readonly kind: 'fine' | Finding['kind']; readonly feature: string; readonly form: string };

/** What a step of decoding says beside its note: where code may go on. */
interface Step extends Found {
  readonly ends: boolean;
  readonly target: number | undefined;
}

const ENDS: ReadonlySet<FlowControl> = new Set([
  FlowControl.UnconditionalBranch,
  FlowControl.IndirectBranch,
  FlowControl.Return,
  FlowControl.Interrupt,
  FlowControl.Exception,
]);

/** A section, with a mark on each byte that is within a known instruction. */
class Ground {
  readonly known: Uint8Array;
  readonly batch: OracleBatch;

  constructor(
    readonly section: CodeSection,
    decoder: Decode | undefined,
  ) {
    this.known = new Uint8Array(section.bytes.length);
    this.batch = new OracleBatch(section.bytes, section.address, decoder);
  }

  get end(): number {
    return this.section.address + this.section.bytes.length;
  }

  has(address: number): boolean {
    return address >= this.section.address && address < this.end;
  }

  isKnown(address: number): boolean {
    return this.known[address - this.section.address] !== 0;
  }

  mark(found: Found): void {
    const at = found.address - this.section.address;
    this.known.fill(1, at, at + found.length);
  }

  /** undefined: no instruction. */
  step(address: number): Step | undefined {
    const verdict = this.batch.check(address - this.section.address);
    if (verdict.kind === 'invalid' || verdict.kind === 'truncated') return undefined;
    const { theirs } = this.batch;
    // Where iced sees no instruction but we do, ours has the length.
    const length = theirs.isInvalid ? 1 : theirs.length;
    const branches = theirs.opCount > 0 && theirs.opKind(0) === OpKind.NearBranch64;
    const target = branches
      ? theirs.nearBranchTarget
      : theirs.isIpRelMemoryOperand
        ? theirs.ipRelMemoryAddress
        : undefined;
    return {
      address,
      length,
      note: noteOf(verdict, theirs),
      ends: ENDS.has(theirs.flowControl),
      target: target === undefined ? undefined : Number(target),
    };
  }
}

function noteOf(verdict: Verdict, theirs: OracleBatch['theirs']): Note {
  switch (verdict.kind) {
    case 'valid': {
      const { row } = verdict.insn;
      const lacks = row.lift === undefined && row.attrs?.includes('privileged') !== true;
      return { kind: lacks ? 'no-lifter' : 'fine', feature: row.feature, form: lacks ? rowKey(row) : '' };
    }
    case 'no-row': {
      const info = theirs.opCode;
      const form = info.instructionString;
      info.free();
      return { kind: 'no-row', feature: verdict.feature, form };
    }
    case 'different':
      return { kind: 'different', feature: 'decoder', form: verdict.what.replace(/0x[0-9a-f-]+/g, '#') };
    default:
      throw new RangeError(`'${verdict.kind}' is no instruction`);
  }
}

/** @param decoder another than the one over all rows */
export function sweepCode(code: ElfCode, decoder?: Decode): Sweep {
  const grounds = code.sections.map((section) => new Ground(section, decoder));
  const instructions: Record<CodeClass, number> = { function: 0, flow: 0, unreached: 0 };
  const byFeature = new Map<string, number>();
  const findings = new Map<string, OpenFinding>();
  const targets: number[] = [];
  let brokenFunctions = 0;
  let droppedTraces = 0;
  let noInstruction = 0;

  const groundOf = (address: number): Ground | undefined => grounds.find((ground) => ground.has(address));

  const count = (ground: Ground, step: Step, codeClass: CodeClass): void => {
    ground.mark(step);
    instructions[codeClass]++;
    const { kind, feature, form } = step.note;
    if (step.target !== undefined && codeClass !== 'unreached') targets.push(step.target);
    if (kind === 'fine') {
      if (codeClass !== 'unreached') byFeature.set(feature, (byFeature.get(feature) ?? 0) + 1);
      return;
    }
    const key = `${kind} ${feature} ${form}`;
    let finding = findings.get(key);
    if (finding === undefined) {
      const first = { class: codeClass, address: step.address, section: ground.section.name };
      finding = { kind, feature, form, count: { function: 0, flow: 0, unreached: 0 }, first };
      findings.set(key, finding);
    }
    finding.count[codeClass]++;
  };

  const sweepFunction = (ground: Ground, start: number, end: number): void => {
    const steps: Step[] = [];
    for (let address = start; address < end;) {
      const step = ground.step(address);
      if (step === undefined || address + step.length > end) {
        brokenFunctions++;
        targets.push(start);
        return;
      }
      steps.push(step);
      address += step.length;
    }
    for (const step of steps) count(ground, step, 'function');
  };

  const follow = (ground: Ground, start: number): void => {
    const steps: Step[] = [];
    for (let address = start; ground.has(address) && !ground.isKnown(address);) {
      const step = ground.step(address);
      if (step === undefined) {
        droppedTraces++;
        return;
      }
      steps.push(step);
      if (step.ends) break;
      address += step.length;
    }
    for (const step of steps) count(ground, step, 'flow');
  };

  for (const { start, end } of code.functions) {
    const ground = groundOf(start);
    if (ground !== undefined && end <= ground.end && !ground.isKnown(start)) sweepFunction(ground, start, end);
  }
  for (const ground of grounds) targets.push(ground.section.address);
  targets.push(...code.pointers);
  const dropped = new Set<number>();
  for (let target = targets.pop(); target !== undefined; target = targets.pop()) {
    const ground = groundOf(target);
    if (ground === undefined || ground.isKnown(target) || dropped.has(target)) continue;
    const before = droppedTraces;
    follow(ground, target);
    if (droppedTraces > before) dropped.add(target);
  }
  for (const ground of grounds) {
    for (let address = ground.section.address; address < ground.end;) {
      const step = ground.isKnown(address) ? undefined : ground.step(address);
      if (step !== undefined) count(ground, step, 'unreached');
      else if (!ground.isKnown(address)) noInstruction++;
      address += step?.length ?? 1;
    }
    ground.batch.free();
  }
  return { instructions, brokenFunctions, droppedTraces, noInstruction, byFeature, findings: [...findings.values()] };
}
