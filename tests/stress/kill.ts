/** `npm run stress:kill -- [--count N] [--seed S]`: kills lift64 at random points. In: the options. Out: a line a failure, and exit status 1 when there was one. */
import { parseArgs } from 'node:util';
import { killRound } from './kill-rounds.js';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '50' }, seed: { type: 'string', default: '0' } },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
let failures = 0;
for (let i = 0; i < count; i++) {
  for (const line of await killRound(seed + i)) {
    console.log(line);
    failures++;
  }
}
console.log(`${count} rounds, ${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;
