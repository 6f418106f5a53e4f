/**
 * Interpreter scripts. In: the first bytes of a file that exec is to run. Out: the interpreter and the arguments that it gets. Source: man 2 execve, "Interpreter scripts".
 */
import { ELOOP, ENOEXEC } from '../linux/errno.js';

/** Bytes of a file that exec looks at (BINPRM_BUF_SIZE). */
export const HEAD_BYTES = 256;
/** Scripts whose interpreter is a script again. */
const MOST_LEVELS = 4;

export interface Shebang {
  /** One character a byte. */
  readonly interpreter: string;
  /** The rest of the line, one argument. */
  readonly argument: string | undefined;
}

/** The #! line of `head`; undefined: no script; -ENOEXEC: one without an interpreter, or whose path does not fit into HEAD_BYTES. */
export function parseShebang(head: Uint8Array): Shebang | number | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const text = Buffer.from(head.subarray(2, HEAD_BYTES)).toString('latin1');
  const end = text.search(/[\n\0]/);
  const whole = end >= 0 || head.length < HEAD_BYTES;
  const line = (end < 0 ? text : text.slice(0, end)).replace(/^[ \t]+/, '');
  const [, interpreter, rest] = /^([^ \t]*)(.*)$/s.exec(line) ?? [];
  if (interpreter === undefined || interpreter === '' || rest === undefined) return -ENOEXEC;
  if (rest === '' && !whole) return -ENOEXEC;
  const argument = rest.replace(/^[ \t]+|[ \t]+$/g, '');
  return { interpreter, argument: argument === '' ? undefined : argument };
}

export interface Command {
  /** Path of the file to run. */
  readonly path: string;
  readonly argv: readonly string[];
}

/**
 * The command that runs `c`: itself when its file is no script, else its interpreter with the script's path among the arguments. -ELOOP when scripts nest too deeply.
 * @param readHead the first HEAD_BYTES bytes of the file at a path, or -errno
 */
export function resolveScript(c: Command, readHead: (path: string) => Uint8Array | number): Command | number {
  let { path, argv } = c;
  for (let level = 0; level <= MOST_LEVELS; level++) {
    const head = readHead(path);
    if (typeof head === 'number') return head;
    const script = parseShebang(head);
    if (script === undefined) return { path, argv };
    if (typeof script === 'number') return script;
    argv = [script.interpreter, ...(script.argument === undefined ? [] : [script.argument]), path, ...argv.slice(1)];
    path = script.interpreter;
  }
  return -ELOOP;
}
