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
  const text = Buffer.from(head.subarray(0, HEAD_BYTES)).toString('latin1');
  const newline = text.indexOf('\n');
  // Without a newline the last byte does not count; a shorter file is followed by NULs.
  const whole = newline < 0 ? text.slice(0, HEAD_BYTES - 1) : text.slice(0, newline).replace(/[ \t]+$/, '');
  const [line = ''] = whole
    .slice(2)
    .replace(/^[ \t]+/, '')
    .split('\0');
  const [, interpreter = '', rest = ''] = /^([^ \t]*)(.*)$/s.exec(line) ?? [];
  if (interpreter === '') return -ENOEXEC;
  if (newline < 0 && rest === '' && whole.length === HEAD_BYTES - 1 && !whole.includes('\0')) return -ENOEXEC;
  const argument = rest.replace(/^[ \t]+/, '');
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
