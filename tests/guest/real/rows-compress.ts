/** Compression: xz, zstd, gzip and bzip2 at several levels, with threads, and back. What they write is compared byte for byte. Data: the rows. */
import type { CodeRow } from './code-row.js';

/** Compresses into a file that is compared, too, and prints what comes out of it again. */
const roundTrip = (program: string, options: string, file: string): string =>
  `${program} ${options} -c {fix}/${file} > c && exec ${program} -d -c c`;

const row = (program: string, options: string, file: string, share: CodeRow['share']): CodeRow => ({
  name: `${program} ${options} ${file}`,
  package: program === 'xz' ? 'xz-utils' : program,
  files: ['/bin/sh', `/usr/bin/${program}`],
  args: ['-c', roundTrip(program, options, file)],
  outputs: ['c'],
  share,
});

/** What is damaged or cut must be found out in the same words. */
const DAMAGED = `
for p in xz zstd gzip bzip2; do
  $p -c {fix}/text > c.$p; head -c 5000 c.$p > cut.$p; (head -c 3000 c.$p; echo damaged; tail -c +3009 c.$p) > bad.$p
  for f in cut bad; do $p -d -c $f.$p | cksum; done; $p -t c.$p; echo $?
done`;

export const COMPRESS_ROWS: readonly CodeRow[] = [
  row('gzip', '-6', 'text', 'test'),
  row('xz', '-1', 'bytes', 'test'),
  row('zstd', '-q -3', 'text', 'test'),
  row('bzip2', '-1', 'bytes', 'test'),
  ...['-1', '-9'].map((level) => row('gzip', level, 'long-text', 'long')),
  ...['-0', '-6', '-9e', '--arm64 --lzma2=preset=2,lc=0,lp=2', '-2 -T2 --block-size=1MiB', '-F lzma'].map((o) =>
    row('xz', o, o === '-F lzma' ? 'bytes' : 'long-bytes', 'long'),
  ),
  ...['-q -1', '-q -9', '-q -19', '-q -5 -T2', '-q --fast=3', '-q -12 --long --no-check'].map((o) =>
    row('zstd', o, 'long-text', 'long'),
  ),
  ...['-1', '-9', '-9 -s'].map((o) => row('bzip2', o, 'long-text', 'long')),
  {
    name: 'damaged files',
    package: 'xz-utils, zstd or bzip2',
    files: ['/bin/sh', '/usr/bin/xz', '/usr/bin/zstd', '/usr/bin/gzip', '/usr/bin/bzip2'],
    args: ['-c', DAMAGED],
    share: 'long',
  },
];
