/** All rows of the compatibility matrix, in the order of docs/programs.md. */
import type { MatrixRow } from './matrix-row.js';
import { FILE_ROWS } from './rows-files.js';
import { LANGUAGE_ROWS } from './rows-languages.js';
import { SERVER_ROWS } from './rows-servers.js';
import { SHELL_ROWS } from './rows-shell.js';
import { TERMINAL_ROWS } from './rows-terminal.js';

export const MATRIX_ROWS: readonly MatrixRow[] = [
  ...SHELL_ROWS,
  ...FILE_ROWS,
  ...LANGUAGE_ROWS,
  ...SERVER_ROWS,
  ...TERMINAL_ROWS,
];
