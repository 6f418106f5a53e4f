/** docs/programs.md. In: the rows, their results, and the causes of what is not right. Out: the page. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { MATRIX_ROWS } from './all-rows.js';
import { CAUSES } from './causes.js';
import { type Measured, loadResults } from './results.js';

const PAGE = 'docs/programs.md';

const cell = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('|', '\\|')
    .replaceAll('_', '\\_')
    .replaceAll('*', '\\*')
    .replaceAll('`', '\\`');

const ratio = (m: Measured | undefined, native: number): string =>
  m?.result === 'right' ? (m.seconds / Math.max(native, 0.01)).toFixed(1) : '';

function render(): string {
  const { qemu, rows: results } = loadResults();
  const rows = MATRIX_ROWS.flatMap((row) => {
    const result = results[row.name];
    return result === undefined ? [] : [{ row, result }];
  });
  const right = rows.filter(({ result }) => result.lift64.result === 'right').length;
  const qemuRight = rows.filter(({ result }) => result.qemu?.result === 'right').length;
  const qemuRan = rows.filter(({ result }) => result.qemu !== undefined).length;
  const underQemu = `${qemuRight} of the ${qemuRan} that were run there under qemu-x86_64`;
  const lines = rows.map(({ row, result }) => {
    const how = `${row.terminal === undefined ? '' : 'in a terminal, '}${(row.shell ?? '/bin/bash').replace('/bin/', '')}`;
    const cause = result.lift64.result === 'right' ? '' : (CAUSES[row.name] ?? result.lift64.detail);
    const cells = [
      row.name,
      result.version,
      how,
      result.lift64.result,
      ratio(result.lift64, result.nativeSeconds),
      result.qemu?.result ?? '',
      ratio(result.qemu, result.nativeSeconds),
      cause,
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  return `# Programs

Written by \`npm run page\` from what \`npm run matrix\` found last (\`tests/matrix/\`): ${right} of ${rows.length} rows that have been run are right under lift64, ${underQemu}; ${MATRIX_ROWS.length - rows.length} have not been run yet.

A row is a script (\`tests/matrix/rows-*.ts\`) that a shell runs in a fresh directory. *Right*: stdout, exit status and the files that it leaves are those of the native run; *differs*: they are not; *hangs*: it
took longer than its limit; *broken*: lift64 itself failed. Under lift64 the shell and everything it starts is translated, in one Node process. qemu: ${qemu === '' ? 'not run yet' : qemu}. Times are divided by the
native run's, start-up included; the host was busy with other work, so they show the size and no more. Where a row is in a terminal, a pseudoterminal of the host is around lift64, and a script plays the user.

| row | version | run by | lift64 | time / native | qemu | time / native | cause |
| :-- | :------ | :----- | :----- | ------------: | :--- | ------------: | :---- |
${lines.join('\n')}
`;
}

/** Writes the page. */
export function writePage(): void {
  writeFileSync(PAGE, render());
}

/** Whether the committed page is what results and rows say. */
export function pageIsCurrent(): boolean {
  return existsSync(PAGE) && readFileSync(PAGE, 'utf8') === render();
}
