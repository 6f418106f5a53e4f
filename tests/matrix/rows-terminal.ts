/** Rows: programs that a user works with in a terminal. Data: the rows. */
import type { MatrixRow } from './matrix-row.js';

const ENTER = '\r';
const ESCAPE = '\x1b';

export const TERMINAL_ROWS: readonly MatrixRow[] = [
  {
    name: 'bash: interactive',
    packages: ['bash'],
    version: 'bash --version',
    script: 'exec bash --norc --noprofile -i',
    terminal: [
      // A key goes in once what it is for is there: bash itself loses keys when SIGINT comes while it reads or parses a line, and the prompt's text is not in what sets it.
      { wait: '[$#] $', type: `PS1=rea'dy> '${ENTER}` },
      { wait: 'ready> $', type: `tty | cut -c1-5; stty size${ENTER}` },
      { wait: '/dev/\\s.*24 80.*ready> $', type: `sh -c 'echo runs $((40 + 2)); exec sleep 60'${ENTER}` },
      { wait: 'runs 42', type: '\x03' },
      { wait: '\\^C.*ready> $', type: `echo $?${ENTER}` },
      { wait: '130.*ready> $', type: `sh -c 'echo runs $((40 + 3)); exec sleep 61'${ENTER}` },
      { wait: 'runs 43', type: '\x1a' },
      { wait: 'Stopped.*ready> $', type: `jobs; bg; jobs; kill %1; wait %1; echo ended $?${ENTER}` },
      { wait: 'Running.*ended 143.*ready> $', type: `echo unfinished\x15echo line editi\x02\x02\x06\x06ng${ENTER}` },
      { wait: 'line editing\r?\n.*ready> $', type: `echo runs $((40 + 4)); cat${ENTER}` },
      { wait: 'runs 44', type: `echoed${ENTER}` },
      { wait: 'echoed.*echoed', type: '\x04' },
      { wait: 'ready> $', type: `exit 5${ENTER}` },
    ],
  },
  {
    name: 'less',
    packages: ['less'],
    version: 'less --version',
    script: 'seq -f "line %g" 500 > t; less t; echo "status $?"',
    terminal: [
      // With the prompt behind it: what is typed is shown, too, and before that. Backwards, less draws upwards. lift64 gives a host's terminal VT where that would add a CR to LF.
      { wait: 'line 23\r?[\n\v]t$', type: ' ' },
      { wait: 'line 46\r?[\n\v]\r?:$', type: 'G' },
      { wait: 'line 500\r?[\n\v]\r?\\(END\\)$', type: `?line 250${ENTER}` },
      { wait: 'line 250\r?[\n\v]\r?:$', type: 'g' },
      { wait: 'line 1\r?[\n\v]\r?:$', type: '/77\r' },
      { wait: 'line (77|99)\r?[\n\v]\r?:$', type: 'q' },
    ],
  },
  {
    name: 'vim',
    packages: ['vim'],
    version: 'vim --version',
    script: 'vim -N -u NONE -i NONE made; echo "status $?"',
    terminal: [
      { wait: 'made', type: 'ifirst line\rsecond line' + ESCAPE },
      { wait: 'second line', type: 'yyp:s/second/third/\r' },
      { wait: 'third line', type: `ggOtop${ESCAPE}` },
      { wait: 'top', type: `:%s/line/LINE/g\r` },
      { wait: 'LINE.*LINE', type: `:r !seq 3\r` },
      { wait: '3', type: `:wq\r` },
    ],
    outputs: ['made'],
  },
  {
    name: 'tmux',
    packages: ['tmux'],
    version: 'tmux -V',
    script: 'export SHELL=/bin/sh; tmux -S sock -f /dev/null new-session -s s "PS1=ready: sh"; echo "status $?"',
    terminal: [
      { wait: 'ready:', type: `echo $((6 * 7))${ENTER}` },
      { wait: '42', type: '\x02%' },
      { wait: '[$#]', type: `echo second$((1 + 1))${ENTER}` },
      // No blank in it: tmux may move the cursor instead.
      { wait: 'second2', type: `exit${ENTER}` },
      { wait: 'ready:', type: `exit${ENTER}` },
      { wait: 'exited', type: '' },
    ],
  },
  {
    name: 'htop',
    packages: ['htop'],
    version: 'htop --version',
    script: 'htop -C -d 5; echo "status $?"',
    terminal: [
      { wait: 'Tasks.*PID.*F10', type: '\x1b[15~' },
      { wait: '.', type: 'q' },
      { wait: 'status 0', type: '' },
    ],
  },
  {
    name: 'nano',
    packages: ['nano'],
    version: 'nano --version',
    script: 'nano -I made; echo "status $?"',
    terminal: [
      { wait: 'New Buffer|made', type: 'typed text' },
      { wait: 'typed text', type: '\x0f\r' },
      { wait: 'Wrote 1', type: '\x18' },
    ],
    outputs: ['made'],
  },
];
