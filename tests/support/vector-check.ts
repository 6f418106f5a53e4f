/**
 * Recorded vectors against lifter, optimiser, interpreter and compiler, bit for bit. In: forms with their cases. Out: what differs, as text.
 */
import { PERM } from '../../src/guest/memory-map.js';
import { decodeOne, type InsnMachine } from './insn-machine.js';
import { changes, plainState } from './insn-state.js';
import { type RecordedForm, stateBefore, stateFor, type VectorForm } from './vectors.js';

/** What runs the vectors: interpreter and compiler, each on IR as lifted and as optimised. The compiler checks each access alone, and then, on optimised IR, several at once. */
export const ENGINES = [
  'interpreter, as lifted',
  'interpreter, optimised',
  'compiler, as lifted',
  'compiler, optimised',
] as const;
export type Engine = (typeof ENGINES)[number];

const ALL_ONES = (1n << 128n) - 1n;
const [SIGFPE, SIGSEGV] = [8, 11];
const [SEGV_ACCERR, FPE_FLTINV] = [2, 7];

/** Forms by mnemonic. */
export function byMnemonic(forms: readonly RecordedForm[]): Map<string, RecordedForm[]> {
  const groups = new Map<string, RecordedForm[]>();
  for (const form of forms) {
    const mnemonic = form.text.split(' ')[0] ?? '';
    const group = groups.get(mnemonic);
    if (group === undefined) groups.set(mnemonic, [form]);
    else group.push(form);
  }
  return groups;
}

/** Adds the code of all forms, each once; gives its addresses. */
export function addForms(machine: InsnMachine, list: readonly Pick<VectorForm, 'code'>[], engine: Engine): number[] {
  const known = new Map<string, number>();
  const isOptimised = engine.endsWith('optimised');
  const places = list.map(({ code }) => {
    const key = Buffer.from(code).toString('hex');
    const place = known.get(key) ?? machine.add(code, isOptimised);
    known.set(key, place);
    return place;
  });
  if (engine.startsWith('compiler')) machine.compile([...known.values()], !isOptimised);
  return places;
}

/** Cases whose result is not the recorded one; with `preciseFloat`, which the machine must have too, in the exception flags of MXCSR as well. */
export function differences(
  machine: InsnMachine,
  list: readonly RecordedForm[],
  pool: readonly bigint[],
  preciseFloat = false,
): string[] {
  const wrong: string[] = [];
  const engines = ENGINES.map((engine) => ({ engine, places: addForms(machine, list, engine) }));
  list.forEach((form, n) => {
    const insn = decodeOne(form.code);
    for (const { inputs, changes: expected } of form.cases) {
      const before = stateBefore(insn, form, pool, inputs);
      for (const { engine, places } of engines) {
        const got = changes(before, machine.run(places[n] ?? 0, before), preciseFloat);
        if (got !== expected)
          wrong.push(`${form.text} ${inputs.join(' ')}: ${engine}\n  host ${expected}\n  ours ${got}`);
      }
    }
  });
  return wrong;
}

/** Not where an operand that must be aligned is not: that is #GP, whatever the page allows. */
const hasMemory = ({ code, text }: RecordedForm): boolean =>
  decodeOne(code).operands.some((o) => o.kind === 'mem') && !text.includes('across');

/** Forms with a memory operand. */
export function withMemory(list: readonly RecordedForm[]): RecordedForm[] {
  return list.filter(hasMemory);
}

/** What a page fault at the form's memory operand does beyond a SIGSEGV at the instruction: '' when nothing. */
export function faultLeaves(machine: InsnMachine, { code, text }: RecordedForm): string {
  const insn = decodeOne(code);
  const isLdmxcsr = /^v?ldmxcsr$/.test(insn.row.mnemonic);
  const stores = insn.operands[0]?.kind === 'mem' && !isLdmxcsr;
  // Every byte of a mask selected; an operand that is a sound MXCSR.
  const before = stateFor(insn, isLdmxcsr ? [0x1f80n] : [0n, ALL_ONES]);
  const pc = machine.add(code);
  machine.allow(stores ? PERM.R : 0);
  const after = machine.run(pc, before);
  machine.allow(PERM.R | PERM.W);
  if (after.signal !== SIGSEGV || after.code !== SEGV_ACCERR || machine.rip !== pc)
    return `${text}: signal ${after.signal}/${after.code} at +${machine.rip - pc}`;
  after.setSignal(0, 0, 0n);
  const left = changes(before, after);
  return left === '' ? '' : `${text}: ${left}`;
}

/** What a form with MMX registers does while an unmasked x87 exception waits, beyond SIGFPE: '' when nothing. */
export function waitingExceptionLeaves(machine: InsnMachine, { code, text }: RecordedForm): string {
  const before = plainState();
  // Invalid operation, unmasked: IE, ES and B.
  before.fcw = 0x37e;
  before.fsw = 0x8081;
  const after = machine.run(machine.add(code), before);
  if (after.signal !== SIGFPE || after.code !== FPE_FLTINV) return `${text}: signal ${after.signal}/${after.code}`;
  after.setSignal(0, 0, 0n);
  const left = changes(before, after);
  return left === '' ? '' : `${text}: ${left}`;
}

/** True for forms that wait for x87 exceptions: those with MMX registers, and EMMS. */
export function waitsForX87({ code, text }: RecordedForm): boolean {
  return text.startsWith('emms') || decodeOne(code).operands.some((o) => o.kind === 'mmx');
}
