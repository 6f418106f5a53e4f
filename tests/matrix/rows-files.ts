/** Rows: archives, version control, builds, databases in files, encryption. Data: the rows. */
import type { MatrixRow } from './matrix-row.js';

const C_PROJECT: Readonly<Record<string, string>> = {
  Makefile: `CFLAGS = -O1 -Wall
OBJS = main.o list.o text.o
all: program libpart.a
program: $(OBJS)
\t$(CC) $(CFLAGS) -o $@ $(OBJS)
libpart.a: list.o text.o
\t$(AR) rcs $@ $^
%.o: %.c part.h
\t$(CC) $(CFLAGS) -c -o $@ $<
clean:
\trm -f program libpart.a $(OBJS)
`,
  'part.h': `struct node { int value; struct node *next; };
struct node *push(struct node *list, int value);
int sum(const struct node *list);
void reverse(char *text);
`,
  'list.c': `#include <stdlib.h>
#include "part.h"
struct node *push(struct node *list, int value) {
  struct node *n = malloc(sizeof *n);
  n->value = value;
  n->next = list;
  return n;
}
int sum(const struct node *list) { return list ? list->value + sum(list->next) : 0; }
`,
  'text.c': `#include <string.h>
#include "part.h"
void reverse(char *text) {
  for (size_t i = 0, j = strlen(text); i + 1 < j; i++) {
    char c = text[--j];
    text[j] = text[i];
    text[i] = c;
  }
}
`,
  'main.c': `#include <stdio.h>
#include "part.h"
int main(void) {
  struct node *list = 0;
  for (int i = 0; i < 100; i++) list = push(list, i);
  char word[] = "translator";
  reverse(word);
  printf("%d %s\\n", sum(list), word);
  return 3;
}
`,
};

export const FILE_ROWS: readonly MatrixRow[] = [
  {
    name: 'tar gzip bzip2 xz zstd',
    packages: ['tar', 'gzip', 'bzip2', 'xz-utils', 'zstd'],
    version: 'tar --version',
    project: 'p',
    limit: 120,
    script: `find p -exec touch -d @1700000000 {} +; t() { tar --sort=name --owner=0 --group=0 --numeric-owner "$@"; }
t -cf p.tar p; sha256sum p.tar; for c in gzip bzip2 xz zstd; do $c -c p.tar > p.$c; $c -dc p.$c | cmp - p.tar && echo $c $(stat -c %s p.$c); done
for f in z j J; do t -c\${f}f p.t$f p; mkdir x$f; tar -xf p.t$f -C x$f; diff -r p x$f/p && echo same $f; done; t --zstd -cf p.tz p; tar -tf p.tz | wc -l
tar -xOf p.tar p/src/ir/ops.ts | md5sum; gzip -9n < p.tar | md5sum; xz -T2 -c p.tar | xz -t && echo ok; zstd -T2 -19 -q -c p.tar | zstd -t -q && echo ok; gzip -l p.gzip | tail -1 | awk '{ print $2 }'; zcat p.gzip | head -c 300 | md5sum
echo broken > bad.gz; gzip -t bad.gz; echo $?; tar -xf bad.gz 2> /dev/null; echo $?
`,
  },
  {
    name: 'git',
    packages: ['git'],
    version: 'git --version',
    project: 'p',
    limit: 120,
    script: `export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b.c GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b.c GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000' GIT_CONFIG_GLOBAL=/dev/null
cd p; git init -q -b main; git add .; git commit -q -m first; git rev-parse HEAD; echo more >> src/ir/ops.ts; git status --short; git diff --stat
git checkout -q -b side; git commit -qam side; git checkout -q main; echo x > new; git add new; git commit -qm main2; git merge -q -m merged side; git log --oneline --graph | cut -c1-60; git log --stat -2 | tail -4
cd ..; git clone -q p c; cd c; git log --format='%H %s' | head -3; git gc -q; git fsck; git count-objects -v | grep -v size; echo y >> new; git stash -q; git stash pop -q; git diff; git blame -s new; git tag v1; git describe; git archive v1 | tar -t | wc -l; git grep -c export | head -3
git push -q origin HEAD:refs/heads/pushed; git -C ../p branch; git rebase -q side 2>&1 | head -1; git show v1 --stat | tail -1; git bundle create -q b.bundle --all; git ls-remote b.bundle | cut -f2
`,
  },
  {
    name: 'make -j2 with gcc',
    packages: ['make', 'gcc', 'binutils'],
    version: 'gcc --version',
    files: C_PROJECT,
    limit: 180,
    script: `make -j2 --output-sync=none > log 2>&1; echo $?; sort log; ./program; echo $?; make; touch list.c; make -j2 | sort; ar t libpart.a; nm program | grep -c ' T '; objdump -d program | grep -c ret; strip program; ./program; size program | awk '{ print NF }'; make clean; ls
echo 'int main( { }' | gcc -xc - 2>&1 | head -2; echo '#include <math.h>
double f(double x) { return sin(x); }' | gcc -O2 -S -o - -xc - | grep -v ident | md5sum; gcc -static -o st *.c && ./st`,
    outputs: ['program', 'main.o', 'st'],
  },
  {
    name: 'g++',
    packages: ['g++'],
    version: 'g++ --version',
    limit: 180,
    files: {
      'm.cc': `#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
int main() {
  std::map<std::string, std::vector<int>> m;
  for (int i = 0; i < 100; i++) m["k" + std::to_string(i % 7)].push_back(i);
  for (auto &[k, v] : m) std::cout << k << ' ' << *std::max_element(v.begin(), v.end()) << '\\n';
  int total = 0;
  std::thread t([&] { for (int i = 0; i < 1000; i++) total += i; });
  t.join();
  try { throw std::runtime_error("caught"); } catch (const std::exception &e) { std::cout << e.what() << ' ' << total << '\\n'; }
}
`,
    },
    script: `g++ -std=c++17 -O1 -o m m.cc -pthread && ./m; echo $?; c++filt _ZNSt6vectorIiSaIiEE9push_backERKi`,
  },
  {
    name: 'cmake',
    packages: ['cmake', 'gcc', 'make'],
    version: 'cmake --version',
    limit: 240,
    files: {
      ...C_PROJECT,
      'CMakeLists.txt': `cmake_minimum_required(VERSION 3.10)\nproject(part C)\nadd_executable(program main.c list.c text.c)\n`,
    },
    script: `cmake -S . -B out > log 2>&1; echo $?; cmake --build out > log2 2>&1; echo $?; grep -c Building log2; ./out/program`,
  },
  {
    name: 'sqlite3',
    packages: ['sqlite3'],
    version: 'sqlite3 --version',
    script: `sqlite3 a.db "pragma journal_mode=wal; create table t(a integer primary key, b text); with recursive n(i) as (select 1 union all select i+1 from n where i<3000) insert into t select i, 'row '||i from n; create index tb on t(b);"
sqlite3 a.db "select count(*), sum(a), max(b) from t; begin; delete from t where a%3=0; commit; select count(*) from t; vacuum; pragma integrity_check; explain query plan select * from t where b='row 7';"
for i in 1 2 3; do sqlite3 a.db ".timeout 20000" "insert into t(b) select 'w' from t limit 50" & done; wait; sqlite3 a.db "select count(*) from t where b like 'w%'" ".dump" | md5sum; sqlite3 -json :memory: "select 1 as a, json_extract('[1,2,3]','$'||'[2]') as b"; sqlite3 a.db nonsense 2>&1; echo $?
`,
    scrub: /^Error: in prepare.*$/gm,
  },
  {
    name: 'openssl',
    packages: ['openssl'],
    version: 'openssl version',
    limit: 120,
    script: `head -c 300000 row.sh /dev/zero > data; for d in md5 sha256 sha512 sha3-256 blake2b512; do openssl dgst -$d -r data; done
for c in aes-256-cbc aes-128-ctr chacha20; do openssl enc -$c -pbkdf2 -S 0102030405060708 -k secret -in data -out d.$c && openssl enc -d -$c -pbkdf2 -S 0102030405060708 -k secret -in d.$c | cmp - data && md5sum d.$c; done
openssl genrsa -out k.pem 2048 2> /dev/null; openssl rsa -in k.pem -check -noout; openssl req -x509 -new -key k.pem -subj /CN=lift64 -days 30 -out c.pem; openssl verify -CAfile c.pem c.pem; openssl x509 -in c.pem -noout -subject
openssl dgst -sha256 -sign k.pem -out sig data; openssl x509 -in c.pem -pubkey -noout > pub; openssl dgst -sha256 -verify pub -signature sig data; openssl ecparam -genkey -name prime256v1 -noout -out e.pem; openssl pkeyutl -sign -inkey e.pem -in <(head -c 32 data) | wc -c | awk '{ print ($1 > 60) }'; openssl rand 10 | wc -c; openssl base64 -e <<< text
`,
  },
  {
    name: 'jq',
    packages: ['jq'],
    version: 'jq --version',
    script: `jq -n '[range(500)] | map({id: ., sq: (. * .), s: "n\\(.)"}) | group_by(.id % 5) | map({k: .[0].id, n: length, t: (map(.sq) | add)})' | tee out; jq -c '.[] | select(.k > 1) | .t / 3' out; jq -r '.[] | [.k, .t] | @csv' out; echo '{"a":[1,{"b":null}]}' | jq -S 'paths'; echo '{' | jq . ; echo $?`,
  },
  {
    name: 'ssh-keygen',
    packages: ['openssh-client'],
    version: 'ssh -V 2>&1',
    script: `ssh-keygen -q -t ed25519 -N '' -C me -f key; ssh-keygen -l -f key.pub | cut -d' ' -f1,3-; ssh-keygen -y -f key | cmp - <(cut -d' ' -f1-3 key.pub) && echo same; echo data > d; ssh-keygen -q -Y sign -f key -n file d; ls d*`,
  },
];
