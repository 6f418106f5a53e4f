/** Child process of the host-reader test: reads descriptor 0 in pieces as its arguments say, prints each, exits with a read under way. */
import { writeSync } from 'node:fs';
import { HostReader } from '../../runtime/threads/host-reader.js';

const reader = new HostReader();
/** Sizes, and `hang` at the end: exit while a read waits. */
const sizes = process.argv.slice(2);

function next(): void {
  const size = sizes.shift();
  if (size === undefined) process.exit(7);
  if (size === 'hang') {
    reader.read(0, new Uint8Array(1), () => undefined);
    setTimeout(() => process.exit(7), 20);
    return;
  }
  const buffer = new Uint8Array(Number(size));
  reader.read(0, buffer, (error, n) => {
    writeSync(1, `${error?.code ?? n}:${Buffer.from(buffer.subarray(0, n)).toString()}\n`);
    next();
  });
}
next();
