/** The recorded vectors of SSSE3 and what came after it (tests/vectors/sse4.txt.gz) against lifter, optimiser, interpreter and compiler, bit for bit. */
import { InsnMachine } from '../support/insn-machine.js';
import {
  describeFaults,
  describeResults,
  readVectors,
  testCoverage,
  testWaitingExceptions,
} from '../support/vector-suite.js';
import { SSE4_ROWS } from '../vectors/sse4-forms.js';

const vectors = readVectors('sse4.txt.gz');
const machine = new InsnMachine();

describeResults(machine, vectors);
testCoverage(vectors, SSE4_ROWS);
describeFaults(machine, vectors);
testWaitingExceptions(machine, vectors, 50);
