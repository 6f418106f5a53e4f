/** Every row of real code, in the order in which they run. */
import type { CodeRow } from './code-row.js';
import { COMPRESS_ROWS } from './rows-compress.js';
import { CRYPTO_ROWS } from './rows-crypto.js';
import { MEDIA_ROWS } from './rows-media.js';
import { NUMBER_ROWS } from './rows-numbers.js';
import { PYTHON_ROWS } from './rows-python.js';

export const CODE_ROWS: readonly CodeRow[] = [
  ...NUMBER_ROWS,
  ...COMPRESS_ROWS,
  ...CRYPTO_ROWS,
  ...PYTHON_ROWS,
  ...MEDIA_ROWS,
];
