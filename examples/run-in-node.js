/**
 * lift64 as a library: runs a program with input and captured output, and dumps the IR of a function.
 * usage, in a project that has lift64 installed: node run-in-node.js; in this repository, once it is built: node examples/run-in-node.js
 */
import { fileURLToPath } from 'node:url';
import { dump, run } from 'lift64';

const bin = (name) => fileURLToPath(new URL(`bin/${name}`, import.meta.url));

const result = await run(bin('env-args'), {
  args: ['one', 'two words'],
  env: { GREETING: 'hello' },
  stdin: 'ignore',
  stdout: 'capture',
});
console.log(result.stdout.toString());
console.log('exit status', result.status, 'signal', result.signal, 'system calls', result.stats.syscalls);

const crashed = await run(bin('fault'), { stdout: 'capture', stderr: 'capture' });
console.log('a program that dies:', crashed.status, crashed.signal);

console.log((await dump(bin('hello-asm'), { stages: ['op_opt'] })).trim());
