/** Rows: shells, and the small programs that scripts start. Data: the rows. */
import type { MatrixRow } from './matrix-row.js';

const BASH_VERSION = 'bash --version';

export const SHELL_ROWS: readonly MatrixRow[] = [
  {
    name: 'bash: pipelines and subshells',
    packages: ['bash', 'coreutils'],
    version: BASH_VERSION,
    script: `set -o pipefail
seq 1 2000 | grep 7 | sort -rn | head -5 | tr '\\n' ' '; echo
seq 100 | while read -r n; do ((s += n)); echo $s; done | tail -1
false | true; echo "$? \${PIPESTATUS[*]}"; (exit 3) | cat; echo "$?"
(cd /; pwd; x=5; exit 4); echo "$? \${x:-unset} $(cd /usr; pwd)"
diff <(seq 5) <(seq 2 6); cat < <(echo process; echo substitution)
{ echo out; echo err >&2; } 2>&1 | sort
exec 5> five; echo through five >&5; exec 5>&-; cat five
cat << HERE | tee copy | wc -w
a here document with $((6 * 7)) in it
HERE
coproc { read -r l; echo "coproc $l"; }; echo asked >&\${COPROC[1]}; read -r answer <&\${COPROC[0]}; echo "$answer"; wait
for i in {1..40}; do echo $i | cat | cat > /dev/null & done; wait; echo all
`,
    outputs: ['five', 'copy'],
  },
  {
    name: 'bash: traps and signals',
    packages: ['bash', 'procps'],
    version: BASH_VERSION,
    script: `trap 'echo exit trap $?' EXIT; trap 'echo usr1' USR1; trap 'echo term; exit 7' TERM
kill -USR1 $$; kill -USR1 $BASHPID; echo after
( trap 'echo child int; exit 9' INT; kill -INT $BASHPID; sleep 10 ); echo "child $?"
( trap '' TERM; kill -TERM $BASHPID; echo ignored ); echo $?
sleep 30 & p=$!; kill -TERM $p; wait $p; echo "sleep $?"
sleep 30 & p=$!; kill -KILL $p; wait $p 2> /dev/null; echo "sleep $?"
bash -c 'kill -SEGV $$'; echo "segv $?"
trap 'echo chld' CHLD; /bin/true; trap - CHLD
trap 'echo err at $LINENO' ERR; false; trap - ERR
timeout 0.3 sleep 10; echo "timeout $?"; timeout -s KILL 0.3 sleep 10; echo "timeout $?"
yes | head -1; echo "\${PIPESTATUS[*]}"
kill -TERM $$
echo not here
`,
  },
  {
    name: 'bash: job control',
    packages: ['bash', 'coreutils'],
    version: BASH_VERSION,
    script: `set -m
sleep 60 & echo "jobs: $(jobs -r | wc -l)"
kill -STOP %1; sleep 0.3; jobs | sed 's/  */ /g'; kill -CONT %1; sleep 0.3; jobs | sed 's/  */ /g'
kill %1; wait %1; echo "status $?"
(sleep 0.2; exit 5) & wait -n; echo "first $?"
sleep 0.2 & sleep 0.1 & wait; jobs; echo none left
cat /proc/self/stat | awk '{ print ($5 == $1) ? "own group" : "shared group" }'
sleep 60 | cat & kill -TERM -- -$!; kill -TERM %%; wait 2> /dev/null; echo done
`,
  },
  {
    name: 'dash',
    packages: ['dash'],
    version: `dpkg-query -W -f='dash \${Version}' dash`,
    shell: '/bin/dash',
    script: `i=0; while [ $i -lt 200 ]; do i=$((i + 1)); done; echo $i
trap 'echo bye' EXIT; trap 'echo hup' HUP; kill -HUP $$
f() { local a=$1; [ "$a" -le 1 ] && echo 1 && return; echo $((a * $(f $((a - 1))))); }; f 6
for w in a b c; do echo $w; done | sort -r | tr '\\n' ' '; echo
(exit 3); echo $?; ! false; echo $?; cat <<X | tr a-z A-Z
text with $i
X
sleep 30 & kill $!; wait $!; echo $?; set -- x y z; shift; echo "$# $*"; umask 027; : > made; stat -c %a made
sh -c 'exec 3>&1; echo to three >&3'; command -v cat; eval 'echo $((1 << 10))'; exit 6
`,
  },
  {
    name: 'coreutils: text',
    packages: ['coreutils'],
    version: 'sort --version',
    script: `seq 3000 | shuf --random-source=<(yes) > numbers
sort -n numbers | md5sum; sort -S 64K numbers | sha256sum; sort -rnk1,1 numbers | head -3
wc numbers; cksum numbers; b2sum < numbers; sha512sum numbers | cut -c1-40; base64 -w 40 numbers | tail -2
split -l 700 -d numbers part.; ls part.*; cat part.* | cmp - numbers && echo same
tac numbers | head -2; nl -ba numbers | sed -n 5p; fold -w 3 numbers | uniq -c | sort -rn | head -3
paste -d, <(seq 5) <(seq 6 10) | join -t, - <(seq 5 | sed 's/$/,x/'); comm -12 <(sort numbers | head) <(sort numbers | head -4)
od -A x -t x1z -N 40 numbers; printf '%s|%5d|%-8s|%x\\n' a 42 left 255; expr 7 '*' 6; factor 1234567890 97; numfmt --to=iec 123456789
tr -cs 0-9 '\\n' < numbers | sort -u | wc -l; cut -c1-2 numbers | sort | uniq -c | sort -k1,1nr -k2 | head -4; fmt -w 30 numbers | tail -1; pr -3 -l 20 -h t -D d numbers | head -8
expand <<< $'a\\tb' ; unexpand -a <<< '        b'; seq -f %03g 0 5 20; date -u -d @1700000000 +%FT%T; tsort <<< 'a b b c'; csplit -s numbers 1000; wc -l xx0*; head -c 1M /dev/zero | md5sum
`,
  },
  {
    name: 'coreutils: files',
    packages: ['coreutils'],
    version: 'ls --version',
    script: `umask 022; mkdir -p a/b/c d; echo one > a/1; echo two > a/b/2; ln a/1 a/hard; ln -s ../a/1 d/soft; ln -s nowhere d/broken; mkfifo fifo
(echo through fifo > fifo &); cat fifo; cp -a a copy; diff -r a copy && echo equal; mv copy moved; ls -R | head -40; touch -d '2020-01-02 03:04:05' a/1
ls -lR --time-style=+ a | awk '{ print $1, $2, $6 }'; stat -c '%n %a %F %h %s %Y' a/1 a/hard; stat -c '%n %a %F %h %s' d/soft; readlink -f d/soft | xargs basename; chmod 640 a/b/2; chmod u+s,o+t a/b; stat -c %A a/b a/b/2
du -a --apparent-size a | sort -k2; dd if=/dev/zero of=blob bs=4k count=33 seek=7 2> /dev/null; stat -c %s blob; truncate -s 100K blob; sha1sum blob; install -m 711 a/1 installed; stat -c %a installed
rm -r moved; rmdir d 2>&1; rm -f d/*; rmdir d; test -e d || echo gone; mktemp -d x.XXXX | cut -c1-2; ls nothere 2>&1; cat a 2>&1; echo $?; id -u; whoami; pwd; basename /x/y.z .z; dirname /x/y
cp --sparse=always blob sparse; cmp blob sparse && echo same; sync -d blob; df . | wc -l; realpath --relative-to=/usr /usr/lib; env -i A=1 env; nice -n 3 nice; tee t1 t2 <<< tee; cat t1 t2; nproc | grep -c .; chown 0:0 a/1; [ -L broken ]; echo $?
`,
    scrub: /^x\..*$/gm,
  },
  {
    name: 'findutils grep sed',
    packages: ['findutils', 'grep', 'sed'],
    version: 'grep --version',
    project: 'p',
    script: `cd p; find . -name '*.ts' -type f | sort | head -20; find . -size +8k -printf '%s %p\\n' | sort; find src -maxdepth 1 -mindepth 1 -type d -exec basename {} + | sort
find . -name '*.ts' -print0 | sort -z | xargs -0 -n 7 -P 2 wc -l | grep -c total; find . -newer src -o -empty | wc -l; find . -name 'o*' -exec sh -c 'echo "$1"' _ {} ';' | sort
grep -rn 'export function' . | sort | head -12; grep -rhoP '(?<=export const )\\w+' . | sort | uniq -c | sort -k1,1nr -k2 | head; grep -c '^import' src/ir/*.ts; grep -vE '^ *(//|\\*|/\\*)' src/ir/ops.ts | wc -l; grep -q nosuch src/ir/ops.ts; echo $?
sed -n '/^export/{s/{.*//;p}' src/ir/*.ts | head -20; sed -E 's/([a-z]+)([A-Z])/\\1_\\l\\2/g;y/abc/xyz/;$!N;P;D' src/ir/ops.ts | md5sum; sed -i.orig '1,3d;s/const/CONST/2g' src/ir/ops.ts; cmp src/ir/ops.ts src/ir/ops.ts.orig | cut -d' ' -f1-4; sed = src/ir/ops.ts | sed 'N;s/\\n/\\t/' | tail -2
`,
  },
  {
    name: 'gawk diff patch',
    packages: ['gawk', 'diffutils', 'patch'],
    version: 'gawk --version',
    project: 'p',
    script: `gawk 'BEGIN { for (i = 0; i < 20000; i++) a[i % 97] += i * 1.5; n = asorti(a, k); for (i = 1; i < 6; i++) print k[i], a[k[i]]; print strftime("%F", 0, 1), sqrt(2), substr("abcdef", 2, 3) }'
gawk '{ w[length($0)]++ } END { for (l in w) print l, w[l] | "sort -n | head -9"; close("sort -n | head -9"); while (("echo a b; echo c" | getline x) > 0) print "<" x ">" }' p/src/ir/*.ts
gawk 'BEGIN { "date -u -d @0 +%Y" | getline y; print y; printf "to sort\\nbefore\\n" |& "sort"; close("sort", "to"); while (("sort" |& getline l) > 0) print l; print system("exit 3") }'
cp -r p q; sed -i 's/export/EXPORT/;5d' q/src/ir/*.ts; diff -ru p q > change.diff; echo $?; wc -l < change.diff; grep -c '^@@' change.diff; diff -y -W 60 <(seq 5) <(seq 3 8); diff -q p/src/ir/ops.ts q/src/ir/ops.ts
(cd p && patch -p1 < ../change.diff | tail -2); diff -r p q && echo equal; (cd p && patch -R -p1 < ../change.diff | wc -l); cmp p/src/ir/ops.ts q/src/ir/ops.ts; sdiff -s <(seq 4) <(seq 2 5); diff3 <(seq 4) <(seq 5) <(seq 2 5)
`,
    scrub: /^([-+]{3} \S+).*$/gm,
  },
  {
    name: 'busybox',
    packages: ['busybox'],
    version: 'busybox',
    script: `exec busybox sh -c '
for i in $(seq 30); do echo $i; done | busybox awk "{ s += \\$1 } END { print s }"
busybox ls / > /dev/null && echo ls; busybox printf "b\\na\\n" | busybox sort; echo text | busybox md5sum
busybox tar cf t.tar row.sh && busybox tar tf t.tar; busybox gzip -c row.sh | busybox zcat | busybox cmp - row.sh && echo same
busybox vi -h 2>&1 | head -1 | cut -c1-7; busybox seq 5 | busybox sed -n 2,3p; busybox find . -name "*.sh"; (sleep 20 & kill $!; wait $!; echo $?); busybox dc -e "2 3 + p" ; busybox true; echo $?; busybox uname'
`,
  },
  {
    name: 'bc ed file',
    packages: ['bc', 'ed', 'file'],
    version: 'bc --version',
    script: `echo 'scale=60; 4*a(1); e(1); 2^200; sqrt(2)' | bc -l; echo '16i FF 2o p' | dc
printf '%s\\n' a 'first line' 'second line' . 1s/first/FIRST/ w 'g/line/p' q | ed -s made 2>&1; printf '1d\\nw\\nq\\n' | ed made; cat made
file /bin/ls made /usr /dev/null /etc/passwd | cut -d, -f1,2; file -i made; printf '\\x89PNG\\r\\n\\x1a\\n' > p; file p
`,
  },
];
