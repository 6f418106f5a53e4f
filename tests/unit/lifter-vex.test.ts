/** The recorded vectors of the VEX rows (tests/vectors/vex.txt.gz) against lifter, optimiser, interpreter and compiler, bit for bit. */
import { InsnMachine } from '../support/insn-machine.js';
import { describeFaults, describeResults, readVectors, testCoverage } from '../support/vector-suite.js';
import { VEX_ROWS } from '../vectors/vex-forms.js';

const vectors = readVectors('vex.txt.gz');
const machine = new InsnMachine();

/** Approximate: processors differ; the legacy rows' error bound is tested, and these share their lane functions. */
const APPROXIMATE = /^vr(cp|sqrt)[ps]s /;

describeResults(machine, { ...vectors, forms: vectors.forms.filter((form) => !APPROXIMATE.test(form.text)) });
testCoverage(
  vectors,
  VEX_ROWS.filter((row) => row.operands !== ''),
);
describeFaults(machine, vectors);
