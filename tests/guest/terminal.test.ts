/**
 * lift64 in a terminal of the host: the same keystrokes as natively, on a pseudo-terminal that python3 makes (Node has none). In: programs of the host, keystrokes. Out: what the
 * terminal shows, the exit status, the terminal's modes afterwards. Source: man 7 pty.
 */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './driver.js';

const DRIVER = join(ROOT, 'tests/guest/pty-driver.py');
const LIFT64 = ['node', join(ROOT, 'bin/lift64.js')];
const LONG_MS = 240_000;

/** What is expected is waited for; the rest is typed. */
type Step = readonly [kind: 'expect' | 'type' | 'hang up', text: string];

/** Programs that are not installed are left out: the host is the oracle. */
const CASES: readonly {
  readonly name: string;
  readonly command: readonly string[];
  readonly steps: readonly Step[];
}[] = [
  {
    name: 'cat: lines, editing, end of file',
    command: ['/bin/sh', '-c', 'echo ready; exec cat'],
    steps: [
      ['expect', 'ready\r\n'],
      ['type', 'hellx\x7fo\r'],
      ['expect', 'hello\r\n'],
      ['type', '\x04'],
    ],
  },
  {
    name: 'Ctrl-C ends a program',
    command: ['/bin/sh', '-c', 'echo ready; exec cat'],
    steps: [
      ['expect', 'ready\r\n'],
      ['type', '\x03'],
    ],
  },
  {
    name: 'a terminal that is closed',
    command: ['/bin/sh', '-c', 'echo ready; exec cat'],
    steps: [
      ['expect', 'ready\r\n'],
      ['hang up', ''],
    ],
  },
  {
    name: 'python3: line editing, a password',
    command: ['/usr/bin/python3', '-q'],
    steps: [
      ['expect', '>>> '],
      ['type', '6*8\x7f7\r'],
      ['expect', '42'],
      ['expect', '>>> '],
      ['type', 'import getpass; getpass.getpass()\r'],
      ['expect', 'Password: '],
      ['type', 'secret\r'],
      ['expect', "'secret'"],
      ['expect', '>>> '],
      ['type', '\x04'],
    ],
  },
];

/** Mode bits, exit status, and whatever has been shown that does not depend on speed: what was waited for. */
function run(command: readonly string[], steps: readonly Step[]): string {
  const result = spawnSync('python3', [DRIVER, JSON.stringify(steps), ...command], {
    encoding: 'utf8',
    env: { ...process.env, PS1: '$ ', TERM: 'xterm', LIFT64_NO_CACHE: '1' },
  });
  return result.stdout + result.stderr;
}

describe("the host's terminal", () => {
  for (const { name, command, steps } of CASES) {
    const [program = ''] = command;
    if (!existsSync(program)) continue;
    test(
      name,
      () => {
        expect(run([...LIFT64, ...command], steps)).toBe(run(command, steps));
      },
      LONG_MS,
    );
  }
});
