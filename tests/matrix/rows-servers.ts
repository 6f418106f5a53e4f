/** Rows: servers with their clients, media programs, debuggers. Data: the rows. */
import type { MatrixRow } from './matrix-row.js';

export const SERVER_ROWS: readonly MatrixRow[] = [
  {
    name: 'redis and redis-benchmark',
    packages: ['redis-server', 'redis-tools'],
    version: 'redis-server --version',
    limit: 180,
    script: `redis-server --port $PORT --dir . --save '' --appendonly yes --daemonize no > log & p=$!; c() { redis-cli -p $PORT "$@"; }
for i in $(seq 200); do c ping 2> /dev/null | grep -q PONG && break; sleep 0.1; done; c ping; c set k v; c get k; for i in 1 2 3; do c incr n; done; c rpush l a b c; c lrange l 0 -1; c hset h f 1 g 2; c hgetall h; c eval 'return {1, redis.call("get", "k")}' 0; c expire k 100; c ttl k | awk '{ print ($1 > 90) }'
redis-benchmark -p $PORT -n 2000 -c 10 -q -t set,get,incr,lpush | tr '\\r' '\\n' | grep -c 'requests per second'; c dbsize; c bgrewriteaof; c shutdown nosave; wait $p; echo $?; ls appendonlydir | wc -l
`,
  },
  {
    name: 'nginx and curl',
    packages: ['nginx-light', 'curl'],
    version: 'nginx -v 2>&1',
    limit: 120,
    files: {
      'n.conf': `daemon off; worker_processes 2; pid nginx.pid; error_log stderr crit; user root; events { worker_connections 64; }
http { access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s; include port.conf; }
`,
    },
    script: `mkdir www; seq 50000 > www/big; echo index > www/index.html; echo "server { listen 127.0.0.1:$PORT; root $PWD/www; location /hello { return 200 hello; } location /proxy/ { proxy_pass http://127.0.0.1:$PORT/; } gzip on; gzip_types *; }" > port.conf
nginx -p $PWD/ -c n.conf & p=$!; for i in $(seq 200); do curl -s -o /dev/null http://127.0.0.1:$PORT/ && break; sleep 0.1; done
curl -s http://127.0.0.1:$PORT/; curl -s http://127.0.0.1:$PORT/hello; echo; curl -s http://127.0.0.1:$PORT/big | md5sum; curl -s --compressed http://127.0.0.1:$PORT/big | md5sum; curl -s http://127.0.0.1:$PORT/proxy/big | md5sum; curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:$PORT/none; curl -s -r 10-19 http://127.0.0.1:$PORT/big | od -c
for i in $(seq 20); do curl -s http://127.0.0.1:$PORT/hello & done; wait $(jobs -p | tail -n +2); echo; nginx -p $PWD/ -c n.conf -s quit; wait $p; echo $?
`,
  },
  {
    name: 'memcached',
    packages: ['memcached'],
    version: 'memcached -V',
    files: {
      'c.py': `import socket, os, time
for _ in range(200):
    try: s = socket.create_connection(('127.0.0.1', int(os.environ['PORT']))); break
    except OSError: time.sleep(0.1)
f = s.makefile('rwb')
def say(x, n): f.write(x); f.flush(); return [f.readline() for _ in range(n)]
print(say(b'set a 0 0 5\\r\\nhello\\r\\n', 1), say(b'get a\\r\\n', 3), say(b'incr a 1\\r\\n', 1), say(b'delete a\\r\\n', 1), say(b'get a\\r\\n', 1), say(b'version\\r\\n', 1))
`,
    },
    script: `memcached -u root -l 127.0.0.1 -p $PORT -t 2 & p=$!; python3 c.py; kill $p; wait $p; echo $?`,
  },
  {
    name: 'postgres',
    packages: ['postgresql', 'util-linux'],
    version: 'echo /usr/lib/postgresql/*/bin/postgres; /usr/lib/postgresql/*/bin/postgres --version | tail -1',
    limit: 400,
    script: `B=$(echo /usr/lib/postgresql/*/bin); chmod 777 .; mkdir data; chown postgres data; as() { runuser -u postgres -- "$@"; }
as $B/initdb -D data -A trust --no-sync > log 2>&1; echo $?; runuser -u postgres -- $B/postgres -D data -p $PORT -k $PWD/data -F > log2 2>&1 & p=$!; for i in $(seq 200); do as psql -h 127.0.0.1 -p $PORT -c 'select 1' postgres > /dev/null 2>&1 && break; sleep 0.2; done
as psql -h 127.0.0.1 -p $PORT -At postgres -c 'create table t as select i, i * i as sq from generate_series(1, 1000) i' -c 'select count(*), sum(sq) from t' -c 'create index on t(i)' -c 'select sq from t where i = 77' -c 'nonsense'; echo $?; as $B/pg_ctl -D data -m fast -s stop; wait $p; echo $?
`,
  },
  {
    name: 'imagemagick',
    packages: ['imagemagick'],
    version: 'convert --version',
    limit: 120,
    script: `convert -size 120x80 gradient:red-blue -rotate 30 -blur 0x2 a.ppm; md5sum a.ppm; convert a.ppm -resize 50% b.png; identify -format '%w %h %m\\n' b.png; convert a.ppm -quality 80 c.jpg; convert c.jpg -colorspace Gray d.pgm; cksum d.pgm; compare -metric AE a.ppm a.ppm null: 2>&1; echo; convert nothere.png x.png 2> /dev/null; echo $?`,
  },
  {
    name: 'ffmpeg',
    packages: ['ffmpeg'],
    version: 'ffmpeg -version',
    limit: 240,
    script: `ffmpeg -v error -f lavfi -i testsrc=s=128x96:d=1:r=10 -f lavfi -i sine=d=1 -c:v mpeg4 -threads 2 -bitexact -c:a aac -y a.mkv < /dev/null; echo $?; ffprobe -v error -show_entries stream=codec_name,width -of csv a.mkv; ffmpeg -v error -i a.mkv -map 0:v -f framemd5 -bitexact - < /dev/null | tail -3; ffmpeg -v error -i a.mkv -vf scale=64:-2 -c:v libx264 -threads 2 -preset ultrafast -y b.mp4 < /dev/null; echo $?`,
  },
  {
    name: 'gdb',
    packages: ['gdb', 'gcc'],
    version: 'gdb --version',
    limit: 300,
    files: {
      'm.c':
        'int square(int x) { return x * x; }\nint main(void) { int s = 0; for (int i = 0; i < 4; i++) s += square(i); return s; }\n',
    },
    script: `gcc -g -o m m.c; gdb -batch -nx -ex 'set disable-randomization off' -ex 'break square if x == 3' -ex run -ex bt -ex 'print x * 2' -ex finish -ex continue ./m 2>&1 | sed 's/0x[0-9a-f]*/ADDR/g' | grep -v -i -e libthread -e 'process ' -e debuginfod -e auto-load`,
  },
  {
    name: 'strace',
    packages: ['strace'],
    version: 'strace --version',
    script: `strace -e trace=write,exit_group -o log echo traced; echo $?; sed 's/+++.*/+++/' log; strace -f -c -o count sh -c 'ls > /dev/null; true'; tail -1 count | awk '{ print $NF }'`,
  },
  {
    name: 'valgrind',
    packages: ['valgrind', 'gcc'],
    version: 'valgrind --version',
    limit: 240,
    files: { 'm.c': '#include <stdlib.h>\nint main(void) { volatile char *p = malloc(10); p[10] = 1; return 0; }\n' },
    script: `gcc -g -o m m.c; valgrind -q --error-exitcode=9 --leak-check=full ./m > log 2>&1; echo $?; grep -c 'Invalid write' log; grep -c 'definitely lost' log`,
  },
  {
    name: 'procps',
    packages: ['procps'],
    version: 'ps --version',
    script: `sleep 60 & p=$!; ps -o comm= -p $p; ps -o stat= -p $p | cut -c1; pgrep -P $$ sleep | wc -l; pidof sleep | grep -cw $p; free | wc -l; uptime | grep -c load; vmstat | wc -l; ps -e -o pid= | grep -cw $$; tr '\\0' ' ' < /proc/$p/cmdline; echo; pkill -P $$ sleep; wait $p; echo $?; top -b -n 1 | head -1 | cut -c1-3; pmap $$ | tail -1 | awk '{ print $1 }'; w | wc -l | awk '{ print ($1 > 0) }'; sysctl -n kernel.ostype; readlink /proc/$$/exe; ls /proc/$$/fd | head -3 | tr '\\n' ' '`,
  },
  {
    name: 'util-linux',
    packages: ['util-linux', 'bsdutils'],
    version: 'mount --version',
    script: `flock lock -c 'echo locked'; (flock 9; : > held; until [ -e tried ]; do sleep 0.05; done) 9> lock & until [ -e held ]; do sleep 0.05; done; flock -n lock true; echo $?; : > tried; wait; setsid sh -c 'echo session'; getopt -o ab: -- -a -b x y; hexdump -C row.sh | head -2; column -t <<< 'a bb c'; rev <<< abc; uuidgen | tr -d '\\n' | wc -c; lscpu | grep -c Arch; taskset -p $$ | cut -d: -f1 | sed 's/[0-9]//g'; ionice -p $$ | cut -d: -f1; prlimit -n -o RESOURCE --noheadings; chrt -p $$ | head -1 | cut -d: -f2; logger --no-act -s hi 2>&1 | tail -c 3; fallocate -l 8192 fa; stat -c %s fa; mountpoint -q /; echo $?; cal 2 2024 | head -2; script -qc 'tty | cut -c1-8' /dev/null | tr -d '\\r'`,
  },
  {
    name: 'setpriv',
    packages: ['util-linux'],
    version: 'setpriv --version',
    script: `setpriv --reuid 1 --regid 1 --clear-groups id; echo $?; setpriv --no-new-privs --bounding-set=-sys_admin grep -e NoNewPrivs -e CapBnd /proc/self/status`,
  },
  {
    name: 'unshare',
    packages: ['util-linux'],
    version: 'unshare --version',
    script: `unshare -U true; echo $?; unshare -Urn sh -c 'id -u; ls /sys/class/net | wc -l'; unshare -Urpf --kill-child sh -c 'echo $$'`,
  },
];
